#include "rpc/model/codec.hpp"
#include "rpc/model/codec_fields.hpp"
#include "rpc/model/codec_names.hpp"

namespace mistify::rpc {

namespace wire {

template <>
struct fields<nic> {
  static constexpr auto all =
    std::tuple{if_set("name", &nic::name),       always("network", &nic::network), always("model", &nic::model),
               if_set("mac", &nic::mac),         always("address", &nic::address), always("netmask", &nic::netmask),
               always("gateway", &nic::gateway), if_set("device", &nic::device),   always("vlans", &nic::vlans)};
};

template <>
struct fields<disk> {
  static constexpr auto all =
    std::tuple{always("bus", &disk::bus),       always("device", &disk::device), always("size", &disk::size),
               always("volume", &disk::volume), always("image", &disk::image),   always("source", &disk::source)};
};

template <>
struct fields<guest> {
  static constexpr auto all = std::tuple{always("id", &guest::id),
                                         if_set("type", &guest::type),
                                         if_set("image", &guest::image),
                                         if_set("nics", &guest::nics),
                                         if_set("disks", &guest::disks),
                                         if_set("state", &guest::state),
                                         if_set("state_reason", &guest::state_reason),
                                         if_set("wanted", &guest::wanted),
                                         if_set("memory", &guest::memory),
                                         if_set("cpu", &guest::cpu),
                                         if_set("vnc", &guest::vnc),
                                         if_set("metadata", &guest::metadata)};
};

guest decode_guest(const json::node& node, std::string_view path) {
  return decode<guest>(node, path);
}

} // namespace wire

guest decode_guest(std::string_view text) {
  return wire::decode<guest>(text);
}

guest decode_guest(const json::node& node) {
  return wire::decode<guest>(node);
}

std::string encode(const guest& value) {
  return wire::encode(value);
}

namespace {

template <class T>
std::optional<inexact_name> inexact_in(const std::vector<T>& devices, std::string_view path,
                                       std::initializer_list<std::string_view> reserved = {}) {
  for (std::size_t i = 0; i < devices.size(); ++i)
    if (!devices[i].extra.empty())
      if (auto found = wire::inexact_member(devices[i], wire::join(path, i), reserved))
        return found;
  return std::nullopt;
}

} // namespace

std::optional<inexact_name> find_inexact_name(const guest& in) {
  auto found = wire::inexact_member(
    in, {}, {"start", "apply", "name", "labels", "power", "cloud_init", "on_io_error", "next_disk"});
  if (!found)
    found = inexact_in(in.nics, "nics");
  return found ? found : inexact_in(in.disks, "disks", {"format"});
}

void expect_exact_names(const guest& from_client) {
  if (const auto found = find_inexact_name(from_client))
    wire::refuse(*found);
}

} // namespace mistify::rpc
