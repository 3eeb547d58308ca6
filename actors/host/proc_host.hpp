#pragma once

#include "rpc/model/host_info.hpp"

#include <string_view>

namespace mistify::actors {

/// The host as the kernel describes it, for what no sub-agent says. Never throws; what cannot be read is 0.
rpc::host_info read_proc_host();

/// The same from the texts of /proc/cpuinfo and /proc/meminfo.
rpc::host_info parse_proc_host(std::string_view cpuinfo, std::string_view meminfo);

/// The machine's UUID as its firmware has it, in lower case; empty if it cannot be read (only root may).
std::string read_product_uuid();

} // namespace mistify::actors
