#include "http/protocol/request_id.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <random>

namespace mistify::http {

namespace {

constexpr std::size_t longest = 128;

bool is_usable(std::string_view id) {
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  return !id.empty() && id.size() <= longest && std::all_of(id.begin(), id.end(), visible);
}

/// Random for each process, so that ids of several agents and several runs stay apart.
std::string make_prefix() {
  constexpr std::size_t digits = 8;
  std::random_device random;
  std::string prefix;
  for (std::uint32_t bits = random(); prefix.size() < digits; bits >>= 4)
    prefix += "0123456789abcdef"[bits & 15];
  return prefix + '-';
}

/// The prefix and a count: at first short enough to need no memory of its own.
std::string new_id() {
  static const auto prefix = make_prefix();
  static std::atomic<std::uint64_t> last{0};
  std::array<char, 32> text; // what counts is written
  auto* const count = text.data() + prefix.copy(text.data(), prefix.size());
  return {text.data(), std::to_chars(count, text.data() + text.size(), ++last, 16).ptr};
}

} // namespace

std::string request_id_of(std::string_view sent) {
  return is_usable(sent) ? std::string{sent} : new_id();
}

} // namespace mistify::http
