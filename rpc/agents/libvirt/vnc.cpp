#include "rpc/agents/libvirt/vnc.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>

namespace mistify::agents {

namespace {

constexpr std::int64_t lowest_port = 5900, highest_port = 65535;
constexpr std::size_t longest_password = 8;

std::int64_t port_in(std::string_view text) {
  std::int64_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() ? port : -1;
}

bool is_printable(char c) {
  return c >= 0x20 && c < 0x7f;
}

} // namespace

port_range parse_vnc_ports(const std::string& text) {
  const auto dash = text.find('-');
  const auto first = std::string_view{text}.substr(0, dash);
  const auto last = dash == text.npos ? first : std::string_view{text}.substr(dash + 1);
  const port_range range{port_in(first), port_in(last)};
  if (range.first < lowest_port || range.last > highest_port || range.first > range.last)
    throw std::invalid_argument{"ports of VNC must be a range from 5900 to 65535, such as 5900-5999: " + text};
  return range;
}

std::string vnc_password(const rpc::guest& g) {
  const auto at = g.metadata.find(vnc_password_key);
  if (at == g.metadata.end() || at->second.empty())
    return {};
  if (at->second.size() > longest_password || !std::ranges::all_of(at->second, is_printable))
    throw std::invalid_argument{"metadata.vnc.password: must be 1 to 8 printable ASCII characters"};
  return at->second;
}

void expect_vnc(const rpc::guest& g, const port_range& ports) {
  if (g.vnc == 0)
    return;
  if (g.vnc != any_vnc_port && !ports.holds(g.vnc))
    throw std::invalid_argument{"vnc: must be a port of " + ports.text() + ", -1 for any of them, or 0 for none"};
  if (vnc_password(g).empty())
    throw std::invalid_argument{"vnc: needs a password of 1 to 8 characters in metadata vnc.password"};
}

} // namespace mistify::agents
