#include "http/cli/mistify/cluster/state.hpp"

#include "http/cli/mistify/text.hpp"
#include "http/client/values.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace mistify::cli {

using rpc::json::node;

namespace {

constexpr std::size_t longest_value = 64 << 10, longest_text = 200;
constexpr std::size_t longest_name = 120; // of a key, where it is told

/// What is wrong with a value.
struct broken {
  std::string why;
};

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), rpc::text::lower);
  return out;
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

std::string text_of(const node& in, std::string_view member) {
  const auto* value = in.find(member);
  if (!value || value->type() != node::kind::string)
    throw broken{std::string{member} + " is no text"};
  auto text = value->as_string(member);
  if (text.size() > longest_text)
    throw broken{std::string{member} + " is too long"};
  return text;
}

std::uint64_t number_of(const node& in, std::string_view member) {
  const auto* value = in.find(member);
  if (!value || value->type() != node::kind::number)
    throw broken{std::string{member} + " is no number"};
  return value->as_uint(member);
}

room room_of(const node& in, std::string_view member) {
  const auto* value = in.find(member);
  if (!value || value->type() != node::kind::object)
    throw broken{std::string{member} + " is no object"};
  return {number_of(*value, "memory"), number_of(*value, "cpu"), number_of(*value, "disk")};
}

/// Calls `read` with the root of an object; throws `broken` for any other text.
template <class F>
auto reading(std::string_view value, F read) {
  if (value.size() > longest_value)
    throw broken{"the value is too long"};
  try {
    const auto document = rpc::json::document::parse(value);
    if (document.root().type() != node::kind::object)
      throw broken{"the value is no object"};
    return read(document.root());
  } catch (const rpc::failure& e) {
    throw broken{e.message()};
  }
}

cluster_host read_host(const std::string& id, std::string_view value) {
  return reading(value, [&](const node& root) {
    if (lower(text_of(root, "id")) != id)
      throw broken{"id is another host's"};
    cluster_host made{
      id, text_of(root, "ip"), false, room_of(root, "total_resources"), room_of(root, "available_resources"), 0};
    if (!is_address(made.ip))
      throw broken{"ip is no address"};
    return made;
  });
}

cluster_guest read_guest(std::string host, std::string id, std::string_view value) {
  return reading(value, [&](const node& root) {
    return cluster_guest{std::move(host),      std::move(id), text_of(root, "state"), text_of(root, "state_reason"),
                         text_of(root, "job"), false};
  });
}

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = path.find('/');
    parts.push_back(path.substr(0, end));
    if (end == path.npos)
      return parts;
    path.remove_prefix(end + 1);
  }
}

class reader {
public:
  void take(const rpc::etcd::entry& key, std::string_view path) {
    const auto parts = parts_of(path);
    try {
      if (parts.size() == 3 && parts[0] == "hypervisors" && parts[2] == "metadata")
        take_host(uuid(parts[1]), key.value);
      else if (parts.size() == 3 && parts[0] == "hypervisors" && parts[2] == "heartbeat")
        alive_.insert(uuid(parts[1]));
      else if (parts.size() == 4 && parts[0] == "agents" && parts[2] == "guests")
        made_.guests.push_back(read_guest(uuid(parts[1]), uuid(parts[3]), key.value));
    } catch (const broken& e) {
      made_.left_out.push_back(rpc::cut_text(key.key, longest_name) + ": " + e.why);
    }
  }

  cluster_state finish() && {
    std::map<std::string_view, std::size_t> counts;
    for (auto& one : made_.guests) {
      ++counts[one.host];
      one.host_alive = alive_.contains(one.host);
    }
    for (auto& [id, one] : hosts_) {
      one.alive = alive_.contains(id);
      one.guests = counts[id];
      made_.hosts.push_back(std::move(one));
    }
    std::ranges::sort(made_.guests, {}, [](const cluster_guest& g) { return std::tie(g.host, g.id); });
    return std::move(made_);
  }

private:
  static std::string uuid(std::string_view text) {
    if (!is_uuid(text))
      throw broken{"the name is no UUID"};
    return lower(text);
  }

  void take_host(const std::string& id, std::string_view value) {
    if (!hosts_.emplace(id, read_host(id, value)).second)
      throw broken{"there is this host in another case"};
  }

  cluster_state made_;
  std::map<std::string, cluster_host> hosts_;
  std::set<std::string, std::less<>> alive_;
};

} // namespace

std::vector<std::string> folders_of_state(const std::string& prefix) {
  return {prefix + "/hypervisors/", prefix + "/agents/"};
}

cluster_state read_state(std::string_view prefix, const std::vector<rpc::etcd::entry>& keys) {
  reader all;
  for (const auto& one : keys)
    if (std::string_view path{one.key}; path.starts_with(prefix) && path.substr(prefix.size()).starts_with('/'))
      all.take(one, path.substr(prefix.size() + 1));
  return std::move(all).finish();
}

} // namespace mistify::cli
