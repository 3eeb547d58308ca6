#include "rpc/model/unmanaged.hpp"

#include "rpc/base/error.hpp"
#include "rpc/model/codec_fields.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mistify::rpc {

namespace wire {

template <>
struct fields<unmanaged_disk> {
  static constexpr auto all =
    std::tuple{always("device", &unmanaged_disk::device), always("source", &unmanaged_disk::source),
               always("format", &unmanaged_disk::format), if_set("size", &unmanaged_disk::size)};
};

template <>
struct fields<unmanaged_nic> {
  static constexpr auto all = std::tuple{always("mac", &unmanaged_nic::mac), always("network", &unmanaged_nic::network),
                                         always("device", &unmanaged_nic::device)};
};

template <>
struct fields<unmanaged_domain> {
  static constexpr auto all =
    std::tuple{always("id", &unmanaged_domain::id),         always("name", &unmanaged_domain::name),
               always("state", &unmanaged_domain::state),   always("memory", &unmanaged_domain::memory),
               always("cpu", &unmanaged_domain::cpu),       always("disks", &unmanaged_domain::disks),
               always("nics", &unmanaged_domain::nics),     always("adoptable", &unmanaged_domain::adoptable),
               if_set("reason", &unmanaged_domain::reason), if_set("marked", &unmanaged_domain::marked)};
};

template <>
struct fields<unmanaged_response> {
  static constexpr auto all = std::tuple{always("domains", &unmanaged_response::domains)};
};

} // namespace wire

bool is_adopted(const guest& g) {
  const auto found = g.extra.find(adopted_member);
  return found != g.extra.end() && found->second == "true";
}

std::string encode(const unmanaged_response& value) {
  return wire::encode(value);
}

std::string encode_list(const std::vector<unmanaged_domain>& domains) {
  auto shown = domains;
  for (auto& one : shown)
    one.marked = false;
  json::writer out;
  wire::write(out, shown);
  return std::move(out).str();
}

std::vector<unmanaged_domain> decode_unmanaged_list(std::string_view text) {
  const auto document = json::document::parse(text);
  std::vector<unmanaged_domain> domains;
  wire::read(document.root(), "domains", domains);
  return domains;
}

std::vector<unmanaged_domain> decode_unmanaged_results(const json::node& results) {
  std::vector<unmanaged_domain> found;
  try {
    for (const json::node& result : results.items("results")) {
      result.members("result"); // throws unless it is an object
      unmanaged_response one;
      wire::read(result, "result", one);
      std::ranges::move(one.domains, std::back_inserter(found));
    }
  } catch (const failure& e) {
    throw failure{errc::sub_agent_failed, "unusable answer of the sub-agent: " + e.message()};
  }
  return found;
}

} // namespace mistify::rpc
