#include "rpc/agents/container/interfaces.hpp"

#include "rpc/base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <fstream>
#include <optional>

namespace mistify::agents::container {

namespace {

namespace text = rpc::text;
using words = std::vector<std::string_view>;

constexpr std::size_t most_lines = 4096; // of a file: containers have some interfaces

template <class F>
void each_line(const std::filesystem::path& file, const F& f) {
  std::ifstream in{file};
  std::string line;
  for (std::size_t n = 0; n < most_lines && std::getline(in, line); ++n)
    f(line);
}

words words_of(std::string_view line) {
  words all;
  while (!line.empty()) {
    const auto end = line.find_first_of(" \t");
    if (end > 0)
      all.push_back(line.substr(0, end));
    line = end == line.npos ? std::string_view{} : line.substr(end + 1);
  }
  return all;
}

template <class T>
std::optional<T> number(std::string_view digits, int base) {
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc{} && end == digits.data() + digits.size() ? std::optional{value} : std::nullopt;
}

/// As /proc/net/if_inet6 writes it; "" for what is no IPv6 address.
std::string digits_of(const std::string& address) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1)
    return {};
  std::string digits;
  for (const auto byte : bytes)
    digits.append({hex[byte >> 4U], hex[byte & 15U]});
  return digits;
}

bool is_in_cgroup(const std::filesystem::path& process, std::string_view container) {
  bool found = false;
  each_line(process / "cgroup", [&](const std::string& line) { found = found || line.find(container) != line.npos; });
  return found && !container.empty();
}

} // namespace

interfaces interfaces::of(std::int64_t process, std::string_view container, const std::filesystem::path& proc) {
  interfaces all;
  const auto folder = proc / std::to_string(process);
  if (process <= 0 || !is_in_cgroup(folder, container))
    return all;
  each_line(folder / "net/dev", [&](const std::string& line) { all.read_figures(line); });
  each_line(folder / "net/route", [&](const std::string& line) { all.read_route(line); });
  each_line(folder / "net/if_inet6", [&](const std::string& line) { all.read_address(line); });
  return all;
}

/// "eth0: BYTES PACKETS ERRORS DROPS FIFO FRAME COMPRESSED MULTICAST", and eight figures of what was sent. Two lines of headings
/// have no such begin.
void interfaces::read_figures(std::string_view line) {
  constexpr std::size_t figures = 16, sent = 8;
  const auto colon = line.find(':');
  if (colon == line.npos)
    return;
  const auto all = words_of(line.substr(colon + 1));
  if (all.size() < figures)
    return;
  const auto at = [&](std::size_t n) {
    return std::max<std::int64_t>(number<std::int64_t>(all[n], 10).value_or(0), 0);
  };
  figures_.push_back({.name = std::string{text::trim(line.substr(0, colon))},
                      .rx_bytes = at(0),
                      .rx_packets = at(1),
                      .rx_errors = at(2),
                      .rx_drops = at(3),
                      .tx_bytes = at(sent),
                      .tx_packets = at(sent + 1),
                      .tx_errors = at(sent + 2),
                      .tx_drops = at(sent + 3)});
}

/// "eth0 DESTINATION GATEWAY FLAGS REFS USE METRIC MASK …". Those without a gateway are the networks of interfaces.
void interfaces::read_route(std::string_view line) {
  constexpr std::size_t destination = 1, gateway = 2, mask = 7;
  const auto all = words_of(line);
  if (all.size() <= mask || number<std::uint32_t>(all[gateway], 16) != 0U)
    return;
  const auto first = number<std::uint32_t>(all[destination], 16), bits = number<std::uint32_t>(all[mask], 16);
  if (first && bits && *bits != 0)
    networks_.push_back({std::string{all[0]}, *first, *bits});
}

/// "ADDRESS INDEX PREFIX SCOPE FLAGS eth0".
void interfaces::read_address(std::string_view line) {
  constexpr std::size_t name = 5;
  if (const auto all = words_of(line); all.size() > name)
    addresses_.push_back({std::string{all[name]}, std::string{all[0]}});
}

const rpc::guest_nic_metrics* interfaces::named(std::string_view interface) const {
  const auto found = std::ranges::find(figures_, interface, &rpc::guest_nic_metrics::name);
  return found == figures_.end() ? nullptr : &*found;
}

const rpc::guest_nic_metrics* interfaces::with(const std::string& address) const {
  std::vector<std::string_view> candidates;
  in_addr four{};
  if (::inet_pton(AF_INET, address.c_str(), &four) == 1) {
    for (const auto& one : networks_)
      if ((four.s_addr & one.mask) == one.first)
        candidates.push_back(one.interface);
  } else if (const auto six = digits_of(address); !six.empty()) {
    for (const auto& one : addresses_)
      if (one.digits == six)
        candidates.push_back(one.interface);
  }
  std::ranges::sort(candidates);
  const auto doubles = std::ranges::unique(candidates);
  candidates.erase(doubles.begin(), doubles.end());
  return candidates.size() == 1 ? named(candidates.front()) : nullptr;
}

} // namespace mistify::agents::container
