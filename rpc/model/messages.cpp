#include "rpc/model/messages.hpp"

#include "rpc/model/codec_names.hpp"

#include <charconv>
#include <system_error>

namespace mistify::rpc {

namespace {

/// Reads a member into `to` with `read`, if it exists.
template <class T, class Read>
void member_of(const json::node& object, std::string_view key, T& to, Read read) {
  if (const auto* found = object.find(key); found && !found->is_null())
    to = read(*found, key);
}

std::string text_of(const json::node& n, std::string_view field) {
  return n.as_string(field);
}

std::uint64_t number_of(const json::node& n, std::string_view field) {
  return n.as_uint(field);
}

metadata_map pairs_of(const json::node& n, std::string_view field) {
  metadata_map pairs;
  for (const auto& m : n.members(field))
    pairs.insert_or_assign(std::string{m.key}, m.value.as_string(std::string{field} + '.' + std::string{m.key}));
  return pairs;
}

template <class T>
auto by(T (*decoder)(const json::node&)) {
  return [decoder](const json::node& n, std::string_view) { return decoder(n); };
}

template <class T>
auto list_by(T (*decoder)(const json::node&)) {
  return [decoder](const json::node& n, std::string_view field) {
    std::vector<T> list;
    for (const json::node& item : n.items(field))
      list.push_back(decoder(item));
    return list;
  };
}

template <class T>
auto map_by(T (*decoder)(const json::node&)) {
  return [decoder](const json::node& n, std::string_view field) {
    std::map<std::string, T> map;
    for (const auto& m : n.members(field))
      map.insert_or_assign(std::string{m.key}, decoder(m.value));
    return map;
  };
}

const auto guest_of = by<guest>(&decode_guest);

/// Throws unless the node is an object or null: `members` does.
void expect_object(const json::node& n) {
  n.members("params");
}

template <class List>
void write_list(json::writer& w, std::string_view key, const List& list) {
  w.key(key).begin_array();
  for (const auto& item : list)
    w.raw(encode(item));
  w.end_array();
}

template <class Map>
void write_map(json::writer& w, std::string_view key, const Map& map) {
  if (map.empty())
    return;
  w.key(key).begin_object();
  for (const auto& [name, value] : map)
    w.key(name).raw(encode(value));
  w.end_object();
}

} // namespace

void decode(const json::node& from, guest_request& to) {
  expect_object(from);
  member_of(from, "guest", to.guest, guest_of);
  member_of(from, "action", to.action, text_of);
  member_of(from, "args", to.args, pairs_of);
  member_of(from, "params", to.params, [](const json::node& n, std::string_view) { return n.text(); });
  member_of(from, "again", to.again, [](const json::node& n, std::string_view field) { return n.as_bool(field); });
}

std::optional<std::uint64_t> wait_of(const guest_request& request) {
  if (!request.params.empty()) {
    const auto params = json::document::parse(request.params);
    if (const auto* wait = params.root().find("wait"))
      return wait->as_uint("params.wait");
  }
  const auto arg = request.args.find("wait");
  std::uint64_t seconds = 0;
  if (arg == request.args.end())
    return std::nullopt;
  const auto* end = arg->second.data() + arg->second.size();
  const auto [stop, fault] = std::from_chars(arg->second.data(), end, seconds);
  if (fault != std::errc{} || stop != end)
    throw failure{errc::invalid_request, "args.wait: must be a whole number"};
  return seconds;
}

void decode(const json::node& from, guest_response& to) {
  expect_object(from);
  member_of(from, "guest", to.guest, guest_of);
  member_of(from, "message", to.message, text_of);
  member_of(from, "retry", to.retry, number_of);
}

void decode(const json::node& from, guest_metrics_request& to) {
  expect_object(from);
  member_of(from, "guest", to.guest, guest_of);
  member_of(from, "type", to.type, text_of);
  member_of(from, "args", to.args, pairs_of);
}

void decode(const json::node& from, guest_metrics_response& to) {
  expect_object(from);
  member_of(from, "guest", to.guest, guest_of);
  member_of(from, "type", to.type, text_of);
  member_of(from, "disk", to.disk, map_by<guest_disk_metrics>(&decode_disk_metrics));
  member_of(from, "nic", to.nic, map_by<guest_nic_metrics>(&decode_nic_metrics));
  member_of(from, "cpu", to.cpu, list_by<guest_cpu_metrics>(&decode_cpu_metrics));
}

void decode(const json::node& from, image_response& to) {
  expect_object(from);
  member_of(from, "images", to.images, list_by<image>(&decode_image));
}

void decode(const json::node& from, snapshot_response& to) {
  expect_object(from);
  member_of(from, "snapshots", to.snapshots, list_by<snapshot>(&decode_snapshot));
}

void decode(const json::node& from, volume_request& to) {
  wire::expect_exact_members(from, {"id", "size"});
  member_of(from, "id", to.id, text_of);
  member_of(from, "size", to.size, number_of);
}

void decode(const json::node& from, volume& to) {
  expect_object(from);
  member_of(from, "id", to.id, text_of);
  member_of(from, "size", to.size, number_of);
  member_of(from, "device", to.device, text_of);
}

void decode(const json::node& from, volume_response& to) {
  expect_object(from);
  member_of(from, "volumes", to.volumes, list_by<volume>([](const json::node& node) {
              volume one;
              decode(node, one);
              return one;
            }));
}

std::string encode(const guest_request& value) {
  return encode_guest_request(encode(value.guest), value.action, value.args, value.params, value.again);
}

std::string encode(const guest_response& value) {
  json::writer w;
  w.begin_object().key("guest").raw(encode(value.guest));
  if (!value.message.empty())
    w.key("message").value(value.message);
  if (value.retry != 0)
    w.key("retry").value(value.retry);
  w.end_object();
  return std::move(w).str();
}

std::string encode(const guest_metrics_request& value) {
  return encode_metrics_request(encode(value.guest), value.type, value.args);
}

std::string encode(const guest_metrics_response& value) {
  json::writer w;
  w.begin_object().key("guest").raw(encode(value.guest)).key("type").value(value.type);
  write_map(w, "disk", value.disk);
  write_map(w, "nic", value.nic);
  if (!value.cpu.empty())
    write_list(w, "cpu", value.cpu);
  w.end_object();
  return std::move(w).str();
}

std::string encode(const image_response& value) {
  json::writer w;
  w.begin_object();
  write_list(w, "images", value.images);
  w.end_object();
  return std::move(w).str();
}

std::string encode(const snapshot_response& value) {
  json::writer w;
  w.begin_object();
  write_list(w, "snapshots", value.snapshots);
  w.end_object();
  return std::move(w).str();
}

std::string encode(const volume_request& value) {
  json::writer w;
  w.begin_object().key("id").value(value.id).key("size").value(value.size).end_object();
  return std::move(w).str();
}

std::string encode(const volume& value) {
  json::writer w;
  w.begin_object().key("id").value(value.id).key("size").value(value.size);
  w.key("device").value(value.device).end_object();
  return std::move(w).str();
}

std::string encode(const volume_response& value) {
  json::writer w;
  w.begin_object();
  write_list(w, "volumes", value.volumes);
  w.end_object();
  return std::move(w).str();
}

} // namespace mistify::rpc
