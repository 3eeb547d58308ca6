#include "actors/cluster/values.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/text.hpp"

#include <utility>

namespace mistify::actors::cluster {

namespace {

using rpc::json::node;
using rpc::json::writer;

void write_resources(writer& w, std::string_view name, const resources& of) {
  w.key(name).begin_object();
  w.key("memory").value(of.memory).key("disk").value(of.disk).key("cpu").value(of.cpu).end_object();
}

/// Calls `f` with the root of an object; returns the default for any other text.
template <class F>
auto reading(std::string_view value, F f) -> decltype(f(std::declval<const node&>())) {
  try {
    const auto document = rpc::json::document::parse(value);
    if (document.root().type() == node::kind::object)
      return f(document.root());
  } catch (const rpc::failure&) { // not a value of ours
  }
  return {};
}

std::string text_of(const node& in, std::string_view member) {
  const auto* value = in.find(member);
  return value && value->type() == node::kind::string ? value->as_string(member) : std::string{};
}

std::optional<std::uint64_t> number_of(const node* in, std::string_view member) {
  const auto* value = in ? in->find(member) : nullptr;
  return value && value->type() == node::kind::number ? std::optional{value->as_uint(member)} : std::nullopt;
}

bool says(const node& in, std::string_view member, const resources& of) {
  const auto* value = in.find(member);
  return number_of(value, "memory") == of.memory && number_of(value, "disk") == of.disk &&
         number_of(value, "cpu") == of.cpu;
}

} // namespace

std::string new_metadata(const std::string& id, const network_facts& network, const picture& of) {
  writer w;
  w.begin_object().key("id").value(id).key("metadata").begin_object().end_object();
  w.key("ip").value(network.ip).key("netmask").value(network.netmask);
  w.key("gateway").value(network.gateway).key("mac").value(network.mac);
  write_resources(w, "total_resources", of.total);
  write_resources(w, "available_resources", of.available);
  w.end_object();
  return std::move(w).str();
}

std::optional<std::string> updated_metadata(std::string_view value, const std::string& id, const picture& of) {
  return reading(value, [&](const node& root) -> std::optional<std::string> {
    if (!rpc::text::equal_ignoring_case(text_of(root, "id"), id))
      return std::nullopt;
    writer w;
    w.begin_object();
    for (const auto& [key, v] : root.members("metadata"))
      if (key != "total_resources" && key != "available_resources")
        w.key(key).raw(v.text());
    write_resources(w, "total_resources", of.total);
    write_resources(w, "available_resources", of.available);
    w.end_object();
    return std::move(w).str();
  });
}

bool has_resources(std::string_view value, const picture& of) {
  return reading(value, [&](const node& root) {
    return says(root, "total_resources", of.total) && says(root, "available_resources", of.available);
  });
}

std::string encode(const guest_state& guest) {
  writer w;
  w.begin_object().key("state").value(guest.state).key("state_reason").value(guest.reason);
  w.key("job").value(guest.job).end_object();
  return std::move(w).str();
}

bool is_guest_state(std::string_view value) {
  return reading(value, [](const node& root) {
    const auto* state = root.find("state");
    return state && state->type() == node::kind::string;
  });
}

std::string new_owner(std::string_view instance, std::string_view since) {
  writer w;
  w.begin_object().key("instance").value(instance).key("since").value(since).end_object();
  return std::move(w).str();
}

std::optional<std::string> instance_of(std::string_view value) {
  return reading(value, [](const node& root) {
    auto instance = text_of(root, "instance");
    return instance.empty() ? std::nullopt : std::optional{std::move(instance)};
  });
}

std::string host_of_guest(std::string_view value) {
  return reading(value, [](const node& root) { return text_of(root, "hypervisor"); });
}

} // namespace mistify::actors::cluster
