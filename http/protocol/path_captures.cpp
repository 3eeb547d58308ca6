#include "http/protocol/path_captures.hpp"

#include <stdexcept>

namespace mistify::http {

const std::string* path_captures::find(std::string_view name) const noexcept {
  for (const auto& one : entries_)
    if (one.name == name)
      return &one.value;
  return nullptr;
}

std::string* path_captures::find(std::string_view name) noexcept {
  return const_cast<std::string*>(std::as_const(*this).find(name));
}

const std::string& path_captures::operator[](std::string_view name) const {
  if (const auto* value = find(name))
    return *value;
  throw std::logic_error{"the route's pattern has no {" + std::string{name} + '}'};
}

std::string& path_captures::operator[](std::string_view name) {
  return const_cast<std::string&>(std::as_const(*this)[name]);
}

} // namespace mistify::http
