#pragma once

#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

/// Reads a sub-agent's answer about a guest's devices. Keeps the first `most` devices and cuts their names at 256
/// bytes: names become labels of metrics, and a sub-agent may send any number of any length. Of duplicate names the
/// last one wins, as everywhere in JSON. A null pointer is an answer without the member. Throws
/// `failure{invalid_request}` if a value has the wrong type.
namespace mistify::actors {

std::vector<rpc::guest_cpu_metrics> processors_of(const rpc::json::node* member, std::size_t most);
std::map<std::string, rpc::guest_disk_metrics> disks_of(const rpc::json::node* member, std::size_t most);
std::map<std::string, rpc::guest_nic_metrics> nics_of(const rpc::json::node* member, std::size_t most);

} // namespace mistify::actors
