#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

/// Function names by address, for profiles of this process: the executable's symbol table, unless stripped, and the
/// exported symbols of libraries. Immutable; any thread may read.
class symbol_table {
public:
  /// Reads the executable's file.
  symbol_table();

  /// Returns the demangled name; "" if unknown.
  std::string name_of(std::uintptr_t address) const;

private:
  struct entry {
    std::uintptr_t begin;
    std::uint64_t size;
    std::uint32_t name; ///< offset in `names_`
  };
  void read(std::string_view file);

  std::vector<entry> entries_; // sorted by address
  std::string names_;
};

} // namespace mistify::http
