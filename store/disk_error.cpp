#include "store/disk_error.hpp"

#include <cerrno>
#include <string_view>
#include <system_error>

namespace mistify::store {

namespace {

std::string_view name_of(int number) noexcept {
  switch (number) {
  case ENOSPC: return "ENOSPC";
  case EDQUOT: return "EDQUOT";
  case EROFS: return "EROFS";
  default: return {};
  }
}

} // namespace

std::string describe_error(int number) {
  auto text = std::generic_category().message(number);
  if (const auto name = name_of(number); !name.empty())
    text.append(" (").append(name).append(")");
  return text;
}

bool is_disk_error(int number) noexcept {
  return !name_of(number).empty();
}

} // namespace mistify::store
