#pragma once

#include "actors/cluster/picture.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The values of the cluster's keys. Readers never throw: any client of etcd may have written the values.
namespace mistify::actors::cluster {

/// How the network reaches the host.
struct network_facts {
  std::string ip, netmask, gateway, mac;
};

/// The facts of the interface that has this address. What cannot be known gets a value that Lochness can read: its
/// programs stumble over empty ones.
network_facts facts_of_address(const std::string& ip);

/// `hypervisors/ID/metadata` of a host that registers itself for the first time.
std::string new_metadata(const std::string& id, const network_facts& network, const picture& of);

/// The same with the present resources, all else as it was. Null if the value is not such a document of this host.
std::optional<std::string> updated_metadata(std::string_view value, const std::string& id, const picture& of);

/// True if `updated_metadata` would say what the value says already.
bool has_resources(std::string_view value, const picture& of);

/// `agents/ID/guests/GUEST`.
std::string encode(const guest_state& guest);
/// True for a value of that shape.
bool is_guest_state(std::string_view value);

/// `agents/ID/owner`.
std::string new_owner(std::string_view instance, std::string_view since);
/// The instance; null if the value is no such document.
std::optional<std::string> instance_of(std::string_view value);

/// The hypervisor that `guests/GUEST/metadata` names; empty if none, or for any other value.
std::string host_of_guest(std::string_view value);

} // namespace mistify::actors::cluster
