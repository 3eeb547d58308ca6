#pragma once

#include "rpc/agents/libvirt/hypervisor.hpp"
#include "rpc/model/host_info.hpp"

#include <string>

namespace mistify::agents {

/// Processors, NUMA cells, memory and huge pages of the host, as libvirt knows them. Throws `hypervisor_error`.
rpc::host_info read_host_info(virConnectPtr c);

/// NUMA cells, page sizes and the host's UUID, from the text of libvirt's capabilities. What is free is not in it.
rpc::host_info read_topology(const std::string& capabilities);

} // namespace mistify::agents
