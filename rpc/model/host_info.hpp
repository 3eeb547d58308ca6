#pragma once

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What sub-agents say about the host: the results of the info action `hostInfo`. All sizes are in MB (2^20 bytes).
namespace mistify::rpc {

struct numa_cell {
  std::uint64_t id = 0, cpus = 0; ///< cpus: logical processors
  std::uint64_t memory = 0, free = 0;
};

/// Pages of one size. `total` and `free` count pages.
struct page_pool {
  std::uint64_t size = 0, total = 0, free = 0;
};

struct host_cpu {
  std::uint64_t count = 0;   ///< logical processors
  std::uint64_t threads = 0; ///< of each core
  std::string model;
  std::vector<numa_cell> numa;
};

struct host_memory {
  std::uint64_t total = 0;
  std::uint64_t free = 0; ///< what can be given away now, caches included
  std::vector<page_pool> huge_pages;
};

struct host_info {
  std::string id; ///< the machine's UUID; may be empty
  host_cpu cpu;
  host_memory memory;
};

struct store_info {
  std::string name;
  std::uint64_t total = 0, free = 0;
  std::uint64_t promised = 0; ///< sizes of all disks; 0: the agent counts them
};

/// Params of both methods: no member is needed.
struct host_request {};

/// The result of `Libvirt.HostInfo`: `{"host":{"cpu":…,"memory":…}}`.
struct host_response {
  host_info host;
};

/// The result of `ImageStore.StoreInfo`: `{"stores":[…]}`.
struct store_response {
  std::vector<store_info> stores;
};

inline void decode(const json::node&, host_request&) {}
std::string encode(const host_response& value);
std::string encode(const store_response& value);

/// What all stages of `hostInfo` said together.
struct host_figures {
  host_info host;
  std::vector<store_info> stores;
};

/// Reads the results of the stages, an array. Throws `failure{sub_agent_failed}`.
host_figures decode_host_figures(const json::node& results);

/// Writes the parts of GET /host that are as a sub-agent gave them.
void write_numa(json::writer& out, const std::vector<numa_cell>& cells);
void write_huge_pages(json::writer& out, const std::vector<page_pool>& pages);

} // namespace mistify::rpc
