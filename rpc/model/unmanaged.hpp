#pragma once

#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Machines that a hypervisor has and that are no guests: the result of the info action `listUnmanaged`.
namespace mistify::rpc {

struct unmanaged_disk {
  std::string device, source, format;
  std::uint64_t size = 0; ///< MB; 0: not known
};

/// `network` is the name of a network or a bridge; empty for other kinds.
struct unmanaged_nic {
  std::string mac, network, device;
};

/// A domain that is no guest's. `memory` is in MB.
struct unmanaged_domain {
  std::string id, name, state;
  std::uint64_t memory = 0, cpu = 0;
  std::vector<unmanaged_disk> disks;
  std::vector<unmanaged_nic> nics;
  bool adoptable = false;
  std::string reason;  ///< why it is not adoptable
  bool marked = false; ///< it carries the mark of an adoption; a guest of the agent may have it
};

/// The guest's member that says, with the value `true`, that its machine was there before it. The agent alone writes it.
constexpr const char* adopted_member = "adopted";
bool is_adopted(const guest& g);

/// Params of `Libvirt.ListUnmanaged`: no member is needed.
struct unmanaged_request {};

/// The result of `Libvirt.ListUnmanaged`: `{"domains":[…]}`.
struct unmanaged_response {
  std::vector<unmanaged_domain> domains;
};

inline void decode(const json::node&, unmanaged_request&) {}
std::string encode(const unmanaged_response& value);

/// A JSON array of domains, as GET /guests/unmanaged answers. Unlike the sub-agent's it leaves `marked` out.
std::string encode_list(const std::vector<unmanaged_domain>& domains);
std::vector<unmanaged_domain> decode_unmanaged_list(std::string_view json);

/// Reads the results of the stages, an array of responses. Throws `failure{sub_agent_failed}`.
std::vector<unmanaged_domain> decode_unmanaged_results(const json::node& results);

} // namespace mistify::rpc
