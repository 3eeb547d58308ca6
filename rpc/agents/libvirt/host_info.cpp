#include "rpc/agents/libvirt/host_info.hpp"

#include <algorithm>
#include <numeric>
#include <pugixml.hpp>
#include <string_view>
#include <vector>

namespace mistify::agents {

namespace {

constexpr std::uint64_t kb_in_mb = 1024, bytes_in_mb = 1024 * 1024;

/// The ordinary pages of all machines: their number is the memory's size, and no guest asks for them.
constexpr std::uint64_t usual_page = 4; // kB

/// A sum of statistics by name; drivers without them leave the answer to `virNodeGetFreeMemory`.
std::uint64_t free_memory(virConnectPtr c) {
  int count = 0;
  if (virNodeGetMemoryStats(c, VIR_NODE_MEMORY_STATS_ALL_CELLS, nullptr, &count, 0) == 0 && count > 0) {
    std::vector<virNodeMemoryStats> stats(static_cast<std::size_t>(count));
    if (virNodeGetMemoryStats(c, VIR_NODE_MEMORY_STATS_ALL_CELLS, stats.data(), &count, 0) == 0)
      return std::accumulate(stats.begin(), stats.end(), std::uint64_t{0},
                             [](std::uint64_t sum, const auto& s) {
                               const std::string_view name{s.field};
                               const bool given = name == VIR_NODE_MEMORY_STATS_FREE ||
                                                  name == VIR_NODE_MEMORY_STATS_BUFFERS ||
                                                  name == VIR_NODE_MEMORY_STATS_CACHED;
                               return given ? sum + s.value : sum;
                             }) /
             kb_in_mb;
  }
  return virNodeGetFreeMemory(c) / bytes_in_mb;
}

/// Of each cell; drivers that do not know leave it at 0.
void add_free_of_cells(virConnectPtr c, std::vector<rpc::numa_cell>& cells) {
  for (auto& cell : cells) {
    unsigned long long free = 0;
    if (virNodeGetCellsFreeMemory(c, &free, static_cast<int>(cell.id), 1) == 1)
      cell.free = free / bytes_in_mb;
  }
}

void add_free_pages(virConnectPtr c, const std::vector<rpc::numa_cell>& cells, std::vector<rpc::page_pool>& pages) {
  for (auto& one : pages)
    for (const auto& cell : cells) {
      auto size = static_cast<unsigned>(one.size * kb_in_mb);
      unsigned long long free = 0;
      if (virNodeGetFreePages(c, 1, &size, static_cast<int>(cell.id), 1, &free, 0) == 1)
        one.free += free;
    }
}

void add_pages(const pugi::xml_node& cell, std::vector<rpc::page_pool>& pages) {
  for (const auto& page : cell.children("pages")) {
    const auto size = page.attribute("size").as_ullong();
    if (size <= usual_page || size < kb_in_mb)
      continue;
    const auto found =
      std::ranges::find_if(pages, [&](const rpc::page_pool& one) { return one.size == size / kb_in_mb; });
    auto& one = found == pages.end() ? pages.emplace_back() : *found;
    one.size = size / kb_in_mb;
    one.total += page.text().as_ullong();
  }
}

} // namespace

rpc::host_info read_topology(const std::string& capabilities) {
  pugi::xml_document document;
  document.load_string(capabilities.c_str());
  const auto host = document.child("capabilities").child("host");
  rpc::host_info info;
  info.id = host.child_value("uuid");
  for (const auto& cell : host.child("topology").child("cells").children("cell")) {
    rpc::numa_cell one;
    one.id = cell.attribute("id").as_ullong();
    one.cpus = cell.child("cpus").attribute("num").as_ullong();
    one.memory = cell.child("memory").text().as_ullong() / kb_in_mb;
    info.cpu.numa.push_back(one);
    add_pages(cell, info.memory.huge_pages);
  }
  return info;
}

rpc::host_info read_host_info(virConnectPtr c) {
  virNodeInfo node{};
  must(virNodeGetInfo(c, &node));
  const text_ptr capabilities{must(virConnectGetCapabilities(c))};
  auto info = read_topology(capabilities.get());
  info.cpu.count = node.cpus;
  info.cpu.threads = node.threads;
  info.cpu.model = node.model;
  info.memory.total = node.memory / kb_in_mb;
  info.memory.free = std::min(free_memory(c), info.memory.total);
  add_free_of_cells(c, info.cpu.numa);
  add_free_pages(c, info.cpu.numa, info.memory.huge_pages);
  return info;
}

} // namespace mistify::agents
