#include "rpc/agents/container/spec_parts.hpp"

#include "rpc/agents/container/shell_words.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>

namespace mistify::agents::container {

namespace {

constexpr std::string_view env_prefix = "container.env.", port_prefix = "container.port.";
constexpr std::string_view command_key = "container.command", read_only_key = "container.read_only",
                           capabilities_key = "container.capabilities";

/// With these a process still cannot leave its container. Docker's default ones, less those for raw sockets, device files,
/// file capabilities and the audit log.
constexpr std::array<std::string_view, 10> grantable{
  "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT", "SETPCAP"};

std::string field_of(std::string_view key) {
  return "metadata." + std::string{key};
}

/// The metadata whose keys begin so.
template <class F>
void each_with(const rpc::guest& g, std::string_view prefix, F f) {
  for (auto at = g.metadata.lower_bound(prefix); at != g.metadata.end() && at->first.starts_with(prefix); ++at)
    f(at->first, std::string_view{at->first}.substr(prefix.size()), at->second);
}

std::string_view value_of(const rpc::guest& g, std::string_view key) {
  const auto found = g.metadata.find(key);
  return found == g.metadata.end() ? std::string_view{} : std::string_view{found->second};
}

bool is_port(std::string_view text) {
  unsigned number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc{} && end == text.data() + text.size() && number >= 1 && number <= 65535 &&
         text.front() != '0';
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return ::inet_pton(AF_INET, text.c_str(), parsed.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), parsed.data()) == 1;
}

port_plan port_from(const std::string& key, std::string_view name, std::string_view value) {
  port_plan plan;
  const auto slash = name.find('/');
  const auto protocol = slash == name.npos ? "tcp" : name.substr(slash + 1);
  const auto number = name.substr(0, slash);
  if (!is_port(number) || (protocol != "tcp" && protocol != "udp"))
    refuse_field(field_of(key), "must end in a port, or in a port and /udp");
  plan.port = std::string{number} + '/' + std::string{protocol};
  if (const auto colon = value.rfind(':'); colon != value.npos) {
    auto address = value.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']'))
      address = address.substr(1, address.size() - 2);
    plan.address = address;
    value.remove_prefix(colon + 1);
    if (!is_address(plan.address))
      refuse_field(field_of(key), "must be [ADDRESS:]HOSTPORT with an IP address");
  }
  if (!is_port(value))
    refuse_field(field_of(key), "must be [ADDRESS:]HOSTPORT with a port of 1 to 65535");
  plan.host_port = value;
  return plan;
}

} // namespace

void refuse_field(std::string_view field, std::string_view reason) {
  throw std::invalid_argument{std::string{field} + ": " + std::string{reason}};
}

void write_texts(rpc::json::writer& to, const std::vector<std::string>& texts) {
  to.begin_array();
  for (const auto& text : texts)
    to.value(text);
  to.end_array();
}

std::vector<std::string> command_of(const rpc::guest& g) {
  const auto text = value_of(g, command_key);
  if (text.empty())
    return {};
  try {
    return split_command(text);
  } catch (const std::invalid_argument& e) {
    refuse_field(field_of(command_key), e.what());
  }
}

std::vector<std::string> environment_of(const rpc::guest& g) {
  std::vector<std::string> all;
  each_with(g, env_prefix, [&](const std::string& key, std::string_view name, const std::string& value) {
    if (name.empty() || name.find('=') != name.npos || rpc::has_control(name))
      refuse_field(field_of(key), "is no name of a variable");
    if (value.find('\0') != value.npos)
      refuse_field(field_of(key), "has a NUL");
    all.push_back(std::string{name} + '=' + value);
  });
  return all;
}

std::vector<port_plan> ports_of(const rpc::guest& g) {
  std::vector<port_plan> all;
  each_with(g, port_prefix, [&](const std::string& key, std::string_view name, const std::string& value) {
    all.push_back(port_from(key, name, value));
    const auto& added = all.back();
    if (std::any_of(all.begin(), all.end() - 1, [&](const port_plan& p) { return p.port == added.port; }))
      refuse_field(field_of(key), "the port is published twice");
  });
  return all;
}

std::vector<std::string> capabilities_of(const rpc::guest& g) {
  std::vector<std::string> all;
  rpc::text::each_element(value_of(g, capabilities_key), ',', [&](std::string_view name) {
    if (name.starts_with("CAP_"))
      name.remove_prefix(4);
    if (std::ranges::find(grantable, name) == grantable.end())
      refuse_field(field_of(capabilities_key), "no container may have " + std::string{name.substr(0, 32)});
    all.emplace_back(name);
  });
  return all;
}

bool wants_read_only_root(const rpc::guest& g) {
  const auto value = value_of(g, read_only_key);
  if (!value.empty() && value != "true" && value != "false")
    refuse_field(field_of(read_only_key), "must be true or false");
  return value == "true";
}

} // namespace mistify::agents::container
