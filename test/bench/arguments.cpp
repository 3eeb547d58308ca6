#include "arguments.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace mistify::bench {

std::uint16_t port_from(const std::string& argument) {
  const auto number = std::stoul(argument);
  if (number == 0 || number > 65535)
    throw std::invalid_argument{argument + " is no port"};
  return static_cast<std::uint16_t>(number);
}

std::string text_of(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in)
    throw std::runtime_error{"cannot read " + file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace mistify::bench
