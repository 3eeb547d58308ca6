#include "rpc/model/host_info.hpp"

#include "rpc/model/codec_fields.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mistify::rpc {

namespace wire {

template <>
struct fields<numa_cell> {
  static constexpr auto all = std::tuple{always("id", &numa_cell::id), always("cpus", &numa_cell::cpus),
                                         always("memory", &numa_cell::memory), always("free", &numa_cell::free)};
};

template <>
struct fields<page_pool> {
  static constexpr auto all =
    std::tuple{always("size", &page_pool::size), always("total", &page_pool::total), always("free", &page_pool::free)};
};

template <>
struct fields<host_cpu> {
  static constexpr auto all = std::tuple{always("count", &host_cpu::count), always("threads", &host_cpu::threads),
                                         always("model", &host_cpu::model), always("numa", &host_cpu::numa)};
};

template <>
struct fields<host_memory> {
  static constexpr auto all = std::tuple{always("total", &host_memory::total), always("free", &host_memory::free),
                                         always("huge_pages", &host_memory::huge_pages)};
};

template <>
struct fields<host_info> {
  static constexpr auto all =
    std::tuple{if_set("id", &host_info::id), always("cpu", &host_info::cpu), always("memory", &host_info::memory)};
};

template <>
struct fields<store_info> {
  static constexpr auto all = std::tuple{always("name", &store_info::name), always("total", &store_info::total),
                                         always("free", &store_info::free), if_set("promised", &store_info::promised)};
};

template <>
struct fields<host_response> {
  static constexpr auto all = std::tuple{always("host", &host_response::host)};
};

template <>
struct fields<store_response> {
  static constexpr auto all = std::tuple{always("stores", &store_response::stores)};
};

} // namespace wire

std::string encode(const host_response& value) {
  return wire::encode(value);
}

std::string encode(const store_response& value) {
  return wire::encode(value);
}

host_figures decode_host_figures(const json::node& results) {
  host_figures found;
  try {
    for (const json::node& result : results.items("results")) {
      if (const auto* host = result.find("host"))
        wire::read(*host, "host", found.host);
      if (const auto* stores = result.find("stores")) {
        std::vector<store_info> more;
        wire::read(*stores, "stores", more);
        std::ranges::move(more, std::back_inserter(found.stores));
      }
    }
  } catch (const failure& e) {
    throw failure{errc::sub_agent_failed, "unusable answer of the sub-agent: " + e.message()};
  }
  return found;
}

void write_numa(json::writer& out, const std::vector<numa_cell>& cells) {
  wire::write(out, cells);
}

void write_huge_pages(json::writer& out, const std::vector<page_pool>& pages) {
  wire::write(out, pages);
}

} // namespace mistify::rpc
