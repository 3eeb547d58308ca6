#include "actors/config/cluster.hpp"

#include "actors/ids.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/text.hpp"
#include "rpc/base/url_text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <unistd.h>

namespace mistify::actors {

namespace {

using rpc::json::node;

[[noreturn]] void refuse(const std::string& field, const std::string& why) {
  throw rpc::failure{rpc::errc::invalid_request, field + ": " + why};
}

bool is_port(std::string_view digits) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  constexpr unsigned highest = 65'535;
  return error == std::errc{} && end == digits.data() + digits.size() && port > 0 && port <= highest;
}

bool is_host(std::string_view name) {
  const auto fits = [](char c) {
    return rpc::text::is_digit(c) || (rpc::text::lower(c) >= 'a' && rpc::text::lower(c) <= 'z') || c == '.' || c == '-';
  };
  return !name.empty() && std::ranges::all_of(name, fits);
}

bool is_bracketed_address(std::string_view host) {
  in6_addr address{};
  return host.size() > 2 && host.front() == '[' && host.back() == ']' &&
         ::inet_pton(AF_INET6, std::string{host.substr(1, host.size() - 2)}.c_str(), &address) == 1;
}

/// SCHEME://HOST[:PORT][/], without user, path and query.
bool is_endpoint(std::string_view url) {
  const auto parts = rpc::split_url(url);
  if (!parts || (parts->scheme != "http" && parts->scheme != "https") || (!parts->rest.empty() && parts->rest != "/") ||
      parts->authority.find('@') != parts->authority.npos)
    return false;
  const bool has_port = parts->host.size() < parts->authority.size();
  return (is_host(parts->host) || is_bracketed_address(parts->host)) && (!has_port || is_port(parts->port));
}

std::vector<std::string> read_endpoints(const node& value) {
  constexpr std::size_t most = 16;
  std::vector<std::string> out;
  for (const node& one : value.items("cluster.etcd")) {
    auto url = one.as_string("cluster.etcd");
    if (!is_endpoint(url))
      refuse("cluster.etcd", "\"" + url + "\" is not http://HOST:PORT or https://HOST:PORT");
    if (url.ends_with('/'))
      url.pop_back();
    out.push_back(std::move(url));
  }
  if (out.empty() || out.size() > most)
    refuse("cluster.etcd", "needs 1 to 16 URLs");
  return out;
}

std::string read_prefix(const node& value) {
  constexpr std::size_t longest = 200;
  auto prefix = value.as_string("cluster.prefix");
  const auto fits = [](char c) { return is_host({&c, 1}) || c == '_' || c == '/'; };
  if (!prefix.starts_with('/') || prefix.ends_with('/') || prefix.size() > longest ||
      prefix.find("//") != prefix.npos || !std::ranges::all_of(prefix, fits))
    refuse("cluster.prefix", "must begin with /, not end with it, and have letters, digits, . _ - and / only");
  return prefix;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), rpc::text::lower);
  return text;
}

std::string read_id(const node& value) {
  auto id = lower(value.as_string("cluster.id"));
  if (!is_uuid(id))
    refuse("cluster.id", "must be a UUID");
  return id;
}

std::string read_ip(const node& value) {
  auto ip = value.as_string("cluster.ip");
  in_addr address{};
  if (::inet_pton(AF_INET, ip.c_str(), &address) != 1 || address.s_addr == INADDR_ANY)
    refuse("cluster.ip", "must be an IPv4 address of this host");
  return ip;
}

std::chrono::seconds read_ttl(const node& value) {
  constexpr std::uint64_t least = 5, most = 86'400;
  const auto seconds = value.as_uint("cluster.ttl");
  if (seconds < least || seconds > most)
    refuse("cluster.ttl", "must be from 5 to 86400 seconds");
  return std::chrono::seconds{seconds};
}

std::string read_ca(const node& value) {
  auto path = value.as_string("cluster.ca");
  if (path.empty() || ::access(path.c_str(), R_OK) != 0)
    refuse("cluster.ca", "\"" + path + "\" cannot be read");
  return path;
}

bool read_api(const node& value) {
  const auto name = value.as_string("cluster.api");
  if (name != "v2" && name != "v3")
    refuse("cluster.api", "must be v3 or v2");
  return name == "v2";
}

std::string first_line_of(const std::string& path) {
  std::ifstream in{path};
  std::string line;
  std::getline(in, line);
  return line;
}

/// Only root may read the file in /sys; systemd passes it on to the service as a credential.
std::string id_of_machine() {
  const auto* folder = std::getenv("CREDENTIALS_DIRECTORY"); // NOLINT(concurrency-mt-unsafe): nothing sets it
  for (const auto& path :
       {folder ? std::string{folder} + "/product_uuid" : std::string{}, std::string{"/sys/class/dmi/id/product_uuid"}})
    if (auto id = lower(first_line_of(path)); !path.empty() && is_uuid(id))
      return id;
  refuse("cluster.id", "is needed: the machine's own id (product_uuid) cannot be read");
}

void read_member(cluster_options& to, std::string_view key, const node& v) {
  if (key == "etcd")
    to.etcd = read_endpoints(v);
  else if (key == "prefix")
    to.prefix = read_prefix(v);
  else if (key == "id")
    to.id = read_id(v);
  else if (key == "ip")
    to.ip = read_ip(v);
  else if (key == "user")
    to.user = v.as_string("cluster.user");
  else if (key == "password")
    to.password = v.as_string("cluster.password");
  else if (key == "ca")
    to.ca = read_ca(v);
  else if (key == "ttl")
    to.ttl = read_ttl(v);
  else if (key == "api")
    to.v2 = read_api(v);
  else
    refuse("cluster." + std::string{key}, "is not known");
}

} // namespace

cluster_options read_cluster_options(const node& value) {
  cluster_options out;
  for (const auto& [key, v] : value.members("cluster"))
    read_member(out, key, v);
  if (out.etcd.empty())
    refuse("cluster.etcd", "is needed");
  if (out.ip.empty())
    refuse("cluster.ip", "is needed");
  if (out.user.empty() != out.password.empty())
    refuse("cluster.user", "and cluster.password need each other");
  if (out.id.empty())
    out.id = id_of_machine();
  return out;
}

} // namespace mistify::actors
