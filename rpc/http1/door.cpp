#include "rpc/http1/door.hpp"

#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <climits>
#include <cstring>
#include <future>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace mistify::rpc {

namespace {

constexpr std::chrono::seconds longest_lookup{2};

bool is_address(int family, std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  in6_addr parsed{};
  if (text.size() >= copy.size())
    return false;
  text.copy(copy.data(), text.size());
  return ::inet_pton(family, copy.data(), &parsed) == 1;
}

/// unreserved, sub-delims and percent escapes (RFC 3986, section 3.2.2)
bool is_registered_name(std::string_view text) noexcept {
  constexpr std::string_view others = "-._~!$&'()*+,;=";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text::lower(text[i]);
    if (c == '%') {
      if (i + 2 >= text.size() || text::hex_value(text[i + 1]) < 0 || text::hex_value(text[i + 2]) < 0)
        return false;
      i += 2;
    } else if (!text::is_digit(c) && (c < 'a' || c > 'z') && others.find(c) == others.npos) {
      return false;
    }
  }
  return !text.empty();
}

/// "[::1]", also with a zone, as some clients send it for link-local addresses.
bool is_bracketed(std::string_view text) noexcept {
  const auto inside = text.substr(1, text.size() - 2);
  const auto zone = inside.find('%');
  return is_address(AF_INET6, inside.substr(0, zone)) &&
         (zone == inside.npos || text::is_token(inside.substr(zone + 1)));
}

bool is_port(std::string_view text) noexcept {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return text.empty() || (error == std::errc{} && end == text.data() + text.size() && value <= 65535);
}

std::string_view without_final_dot(std::string_view name) noexcept {
  if (name.size() > 1 && name.ends_with('.'))
    name.remove_suffix(1);
  return name;
}

/// Removes the scheme and returns its port; empty, removing nothing, for a scheme that no page of this server can have.
std::string_view default_port(std::string_view& origin) noexcept {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> known{
    {{"http://", "80"}, {"https://", "443"}}};
  for (const auto& [scheme, port] : known) {
    if (!text::equal_ignoring_case(origin.substr(0, scheme.size()), scheme))
      continue;
    origin.remove_prefix(scheme.size());
    return port;
  }
  return {};
}

bool is_origin_of(std::string_view origin, std::string_view host) noexcept {
  const auto usual = default_port(origin);
  const auto from = parse_authority(origin), to = parse_authority(host);
  if (usual.empty() || !from || !to)
    return false;
  const auto port = [&](const authority& a) { return a.port.empty() ? usual : a.port; };
  return text::equal_ignoring_case(from->host, to->host) && port(*from) == port(*to);
}

/// Empty where the resolver fails or takes too long. It may hang for much longer than a start should last, and cannot be
/// stopped, so it runs on a thread that nobody waits for.
std::string canonical_name(const std::string& name) {
  const auto answer = std::make_shared<std::promise<std::string>>();
  auto found = answer->get_future();
  try {
    std::thread{[answer, name] {
      addrinfo hints{}, *list = nullptr;
      hints.ai_socktype = SOCK_STREAM;
      hints.ai_flags = AI_CANONNAME;
      const bool known = ::getaddrinfo(name.c_str(), nullptr, &hints, &list) == 0;
      answer->set_value(known && list && list->ai_canonname ? list->ai_canonname : "");
      if (known)
        ::freeaddrinfo(list);
    }}.detach();
  } catch (const std::system_error&) {
    return {}; // no thread is to be had; the short name is known all the same
  }
  return found.wait_for(longest_lookup) == std::future_status::ready ? found.get() : std::string{};
}

std::vector<std::string> look_up_machine_names() {
  std::array<char, HOST_NAME_MAX + 1> text{};
  if (::gethostname(text.data(), text.size() - 1) != 0 || text[0] == '\0')
    return {};
  const std::string name{text.data()};
  return {name, name.substr(0, name.find('.')), canonical_name(name)};
}

} // namespace

std::optional<authority> parse_authority(std::string_view text) noexcept {
  const bool bracketed = text.starts_with('[');
  const auto host_end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && host_end == text.npos)
    return std::nullopt;
  authority a{text.substr(0, bracketed ? host_end + 1 : host_end), {}};
  const auto rest = text.substr(a.host.size());
  if (!(bracketed ? is_bracketed(a.host) : is_registered_name(a.host)) || (!rest.empty() && rest.front() != ':'))
    return std::nullopt;
  a.port = rest.empty() ? rest : rest.substr(1);
  return is_port(a.port) ? std::optional{a} : std::nullopt;
}

std::optional<std::string_view> authority_of_target(std::string_view target) noexcept {
  if (target.starts_with('/')) // as in nearly all requests
    return std::nullopt;
  for (const std::string_view scheme : {"http://", "https://"})
    if (text::equal_ignoring_case(target.substr(0, scheme.size()), scheme))
      return target.substr(scheme.size(), target.find_first_of("/?#", scheme.size()) - scheme.size());
  return std::nullopt;
}

const std::vector<std::string>& machine_names() {
  static const auto names = look_up_machine_names();
  return names;
}

door::door(const std::vector<std::string>& names) {
  names_.emplace_back("localhost");
  for (const auto& name : names) {
    any_ |= name == "*";
    const auto parsed = parse_authority(name);
    std::string known{without_final_dot(parsed ? parsed->host : std::string_view{name})};
    std::transform(known.begin(), known.end(), known.begin(), text::lower);
    if (!known.empty())
      names_.push_back(std::move(known));
  }
}

bool door::knows(std::string_view host) const noexcept {
  host = without_final_dot(host);
  return host.starts_with('[') || is_address(AF_INET, host) ||
         std::any_of(names_.begin(), names_.end(),
                     [&](const std::string& name) { return text::equal_ignoring_case(name, host); });
}

std::optional<door::refusal> door::refuse(const addressed_to& request) const noexcept {
  if (request.hosts != 1 && !(request.hosts == 0 && request.http_1_0))
    return refusal{400, "exactly one Host is needed"};
  auto to = parse_authority(request.host);
  if (request.hosts == 1 && !to)
    return refusal{400, "Host is not HOST or HOST:PORT"};
  if (const auto absolute = authority_of_target(request.target)) {
    to = parse_authority(*absolute);
    if (!to)
      return refusal{400, "the target's authority is not HOST or HOST:PORT"};
  }
  if (!to || any_ || request.any_name || knows(to->host))
    return std::nullopt;
  return refusal{421, "Host is no name of this server"};
}

bool is_cross_site(const sent_from& page, std::string_view host) noexcept {
  if (page.fetch_site && *page.fetch_site != "same-origin" && *page.fetch_site != "none")
    return true;
  return page.origin && !is_origin_of(*page.origin, host);
}

} // namespace mistify::rpc
