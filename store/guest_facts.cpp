#include "store/guest_facts.hpp"

#include "rpc/base/json.hpp"
#include "rpc/model/unmanaged.hpp"
#include "store/mac_address.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace mistify::store {

namespace {

using rpc::json::node;

/// Sums from clients must not wrap around.
std::uint64_t add_up_to_most(std::uint64_t a, std::uint64_t b) noexcept {
  return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

std::string name_of(const rpc::guest& guest) {
  const auto found = guest.extra.find("name");
  if (found == guest.extra.end() || !found->second.starts_with('"'))
    return {};
  return rpc::json::document::parse(found->second).root().as_string("name");
}

rpc::metadata_map labels_of(const rpc::guest& guest) {
  rpc::metadata_map labels;
  const auto found = guest.extra.find("labels");
  if (found == guest.extra.end() || !found->second.starts_with('{'))
    return labels;
  const auto document = rpc::json::document::parse(found->second);
  for (const auto& [key, value] : document.root().members("labels"))
    if (value.type() == node::kind::string)
      labels.insert_or_assign(std::string{key}, value.as_string("labels"));
  return labels;
}

} // namespace

guest_facts facts_of(const rpc::guest& guest) {
  guest_facts facts;
  facts.state = guest.state;
  facts.memory = guest.memory;
  facts.cpu = guest.cpu;
  facts.vnc = guest.vnc;
  const bool is_adopted = rpc::is_adopted(guest);
  for (const auto& disk : guest.disks)
    if (!is_adopted || !disk.volume.empty()) // others of an adopted guest take nothing of the stores
      facts.disk = add_up_to_most(facts.disk, disk.size);
  for (const auto& nic : guest.nics)
    if (!nic.mac.empty())
      facts.macs.push_back(comparable_mac(nic.mac));
  if (!guest.extra.empty()) {
    facts.name = name_of(guest);
    facts.labels = labels_of(guest);
  }
  return facts;
}

bool holds_memory(std::string_view state) noexcept {
  constexpr std::array<std::string_view, 5> on{"running", "blocked", "paused", "shutdown", "suspended"};
  return std::ranges::find(on, state) != on.end();
}

} // namespace mistify::store
