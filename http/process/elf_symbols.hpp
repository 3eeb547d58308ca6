#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

/// Names of functions by address, for profiles of this process: of the executable from its symbol table, where it was
/// not stripped, of libraries what they export. Immutable; any thread may ask.
class symbol_table {
public:
  /// Reads the executable's own file.
  symbol_table();

  /// The demangled name; "" where it is not known.
  std::string name_of(std::uintptr_t address) const;

private:
  struct entry {
    std::uintptr_t begin;
    std::uint64_t size;
    std::uint32_t name; ///< in `names_`
  };
  void read(std::string_view file);

  std::vector<entry> entries_; // by address
  std::string names_;
};

} // namespace mistify::http
