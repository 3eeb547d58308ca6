#include "http/cli/mistify/cluster/cluster.hpp"

#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/errors.hpp"
#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/files.hpp"
#include "http/cli/mistify/screen.hpp"
#include "http/cli/mistify/text.hpp"
#include "http/client/failure.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mistify::cli {

namespace {

constexpr std::string_view usual_prefix = "/lochness";
constexpr std::uint16_t usual_port = 8080; // Lochness's workers know no other

client::address member_of(std::string_view url) {
  try {
    auto member = client::parse_address(url);
    if (member.how != client::address::scheme::unix_socket)
      return member;
  } catch (const client::failure&) { // reported below
  }
  throw give_up{status::usage, "--cluster: must be http://HOST:PORT or https://HOST:PORT, with commas between several"};
}

std::vector<client::address> members_of(const arguments& args) {
  constexpr std::size_t most = 16;
  std::vector<client::address> all;
  rpc::text::each_element(chosen(args, "--cluster", "MISTIFY_CLUSTER"), ',',
                          [&](std::string_view url) { all.push_back(member_of(url)); });
  if (all.empty())
    throw give_up{status::usage, "no cluster is named",
                  "--cluster URL[,URL] or MISTIFY_CLUSTER says where its etcd is"};
  if (all.size() > most)
    throw give_up{status::usage, "--cluster: names more than " + std::to_string(most) + " members"};
  return all;
}

/// The rules are those of the agent's config.
std::string prefix_of(const arguments& args) {
  constexpr std::size_t longest = 200;
  const auto fits = [](char c) {
    return rpc::text::is_digit(c) || (rpc::text::lower(c) >= 'a' && rpc::text::lower(c) <= 'z') ||
           std::string_view{"-._/"}.find(c) != std::string_view::npos;
  };
  std::string prefix{args.has("--prefix") ? args.text("--prefix") : usual_prefix};
  if (!prefix.starts_with('/') || prefix.ends_with('/') || prefix.size() > longest ||
      prefix.find("//") != prefix.npos || !std::ranges::all_of(prefix, fits))
    throw give_up{status::usage,
                  "--prefix: must begin with /, not end with it, and have letters, digits, . _ - and / only"};
  return prefix;
}

std::string password_of(const arguments& args) {
  constexpr std::size_t longest = 4096;
  if (!args.has("--cluster-password-file"))
    return chosen(args, {}, "MISTIFY_CLUSTER_PASSWORD");
  auto text = read_small_file(args.text("--cluster-password-file"), longest);
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
  return text;
}

client::etcd_settings etcd_of(const arguments& args) {
  const auto link = link_of(args);
  client::etcd_settings how;
  how.members = members_of(args);
  how.user = chosen(args, "--cluster-user", "MISTIFY_CLUSTER_USER");
  how.password = password_of(args);
  if (how.user.empty() != how.password.empty())
    throw give_up{status::usage, "a user of etcd and a password belong together",
                  "--cluster-user NAME, and --cluster-password-file FILE or MISTIFY_CLUSTER_PASSWORD"};
  if (const auto& api = args.text("--cluster-api"); api == "v2")
    how.api = rpc::etcd::api::v2;
  else if (!api.empty() && api != "v3")
    throw give_up{status::usage, "--cluster-api: must be v3 or v2"};
  how.ca_file = link.ca_file;
  how.cert_file = link.cert_file;
  how.key_file = link.key_file;
  how.timeout = link.timeout;
  return how;
}

[[noreturn]] void no_cluster(const client::failure& e) {
  using client::fault;
  const auto next = e.code() == fault::tls       ? "--cacert FILE names the authority that signed etcd's certificate"
                    : e.code() == fault::refused ? "--cluster-user and --cluster-password-file say who reads etcd"
                                                 : "is etcd running there? --cluster URL[,URL] names its members";
  throw give_up{status_of(e), e.message(), next};
}

void tell_left_out(const std::vector<std::string>& keys) {
  constexpr std::size_t most = 3;
  const auto shown = keys.size() > most ? most - 1 : keys.size();
  for (std::size_t i = 0; i < shown; ++i)
    print_error("mistify: left out: " + keys[i]);
  if (shown < keys.size())
    print_error("mistify: and " + std::to_string(keys.size() - shown) + " more keys are left out");
}

} // namespace

bool has_cluster(const arguments& args) {
  return !chosen(args, "--cluster", "MISTIFY_CLUSTER").empty();
}

cluster::cluster(const arguments& args)
  : prefix_{prefix_of(args)}, port_{static_cast<std::uint16_t>(
                                number_of(args, "--port", 1, 65'535).value_or(usual_port))},
    tls_{args.has("--tls")}, etcd_{etcd_of(args)} {}

cluster_state cluster::read() {
  auto made = read(folders_of_state(prefix_));
  tell_left_out(made.left_out);
  return made;
}

std::vector<cluster_host> cluster::read_hosts() {
  return read({prefix_ + "/hypervisors/"}).hosts;
}

cluster_state cluster::read(const std::vector<std::string>& folders) {
  std::vector<rpc::etcd::entry> keys;
  try {
    for (const auto& folder : folders)
      std::ranges::move(etcd_.list(folder), std::back_inserter(keys));
  } catch (const client::failure& e) {
    no_cluster(e);
  }
  return read_state(prefix_, keys);
}

/// A whole id is looked up alone: its folder has the host's name.
client::address cluster::agent_of(std::string_view asked) {
  std::string name{asked};
  std::ranges::transform(name, name.begin(), rpc::text::lower);
  const auto found = read({prefix_ + "/hypervisors/" + (is_uuid(name) ? name + '/' : "")});
  try {
    return agent_of(find_host(found.hosts, asked));
  } catch (const give_up&) {
    tell_left_out(found.left_out); // it may be one of these
    throw;
  }
}

client::address cluster::agent_of(const cluster_host& host) const {
  return {tls_ ? client::address::scheme::https : client::address::scheme::http, host.ip, port_};
}

} // namespace mistify::cli
