#pragma once

#include "rpc/model/model.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::store {

/// What lists, uniqueness and admission ask of a guest, read from its document once.
struct guest_facts {
  std::string state;
  std::string name; ///< empty: none
  std::uint64_t memory = 0, cpu = 0;
  std::uint64_t disk = 0; ///< of its disks, MB; of an adopted guest those in a store
  std::int64_t vnc = 0;
  std::vector<std::string> macs; ///< as `comparable_mac` writes them; one that occurs twice is there twice
  rpc::metadata_map labels;
};

/// Members `name` and `labels` of another type than they should be count as absent: they were unknown members once.
guest_facts facts_of(const rpc::guest& guest);

/// True for the states in which a guest holds its memory: it runs, or could go on at once.
bool holds_memory(std::string_view state) noexcept;

} // namespace mistify::store
