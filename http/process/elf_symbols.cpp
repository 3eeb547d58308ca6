#include "http/process/elf_symbols.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <link.h>
#include <memory>

namespace mistify::http {

namespace {

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> plain{abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                          std::free};
  return status == 0 ? plain.get() : name;
}

/// Returns the offset between addresses in the executable's file and in memory. The executable is the first object of
/// the linker's list.
std::uintptr_t load_offset() {
  std::uintptr_t offset = 0;
  ::dl_iterate_phdr(
    [](dl_phdr_info* info, std::size_t, void* to) {
      *static_cast<std::uintptr_t*>(to) = info->dlpi_addr;
      return 1;
    },
    &offset);
  return offset;
}

/// Copies the `index`th T of a table in the file; copied because the file may not be aligned.
template <class T>
bool take(std::string_view file, std::uint64_t table, std::uint64_t index, T& out) {
  const auto at = table + index * sizeof out;
  if (at > file.size() || file.size() - at < sizeof out)
    return false;
  std::memcpy(&out, file.data() + at, sizeof out);
  return true;
}

} // namespace

symbol_table::symbol_table() {
  std::ifstream in{"/proc/self/exe", std::ios::binary};
  const std::string file{std::istreambuf_iterator<char>{in}, {}};
  read(file);
}

/// Reads the format of elf(5): one section contains the symbols and names the section with their names.
void symbol_table::read(std::string_view file) {
  ElfW(Ehdr) head{};
  if (!take(file, 0, 0, head) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
    return;
  ElfW(Shdr) symbols{}, names{};
  for (unsigned i = 0; i < head.e_shnum && symbols.sh_type != SHT_SYMTAB; ++i)
    if (!take(file, head.e_shoff, i, symbols))
      return;
  if (symbols.sh_type != SHT_SYMTAB || !take(file, head.e_shoff, symbols.sh_link, names) ||
      names.sh_offset > file.size())
    return;
  names_ = file.substr(names.sh_offset, names.sh_size);
  const auto offset = load_offset();
  ElfW(Sym) symbol{};
  for (std::uint64_t i = 0; i < symbols.sh_size / sizeof symbol && take(file, symbols.sh_offset, i, symbol); ++i)
    if ((symbol.st_info & 0xf) == STT_FUNC && symbol.st_value != 0 && symbol.st_name < names_.size())
      entries_.push_back({offset + symbol.st_value, symbol.st_size, symbol.st_name});
  std::sort(entries_.begin(), entries_.end(), [](const entry& a, const entry& b) { return a.begin < b.begin; });
}

std::string symbol_table::name_of(std::uintptr_t address) const {
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), address,
                                      [](std::uintptr_t a, const entry& e) { return a < e.begin; });
  if (after != entries_.begin() && address - std::prev(after)->begin < std::prev(after)->size)
    return demangled(names_.c_str() + std::prev(after)->name);
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(address), &info) != 0 && info.dli_sname)
    return demangled(info.dli_sname);
  return {};
}

} // namespace mistify::http
