#include "http/listening.hpp"

#include "http/server/listener.hpp"
#include "http/server/server.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/log.hpp"
#include "rpc/base/service_manager.hpp"

#include <algorithm>

namespace mistify::http {

namespace {

using rpc::service_manager::inherited_socket;

[[noreturn]] void refuse_socket(const inherited_socket& which, const std::string& why) {
  throw rpc::failure{rpc::errc::config_invalid, "the service manager's socket \"" + which.name + "\" " + why};
}

/// What FileDescriptorName says of a socket. Without one it is the unit's name, which says nothing.
bool is_plain(const inherited_socket& which, const actors::config& config) {
  const bool is_unix = is_unix_socket(which.fd);
  if (which.name == "unix" && !is_unix)
    refuse_socket(which, "is no unix socket");
  if ((which.name == "tls" || which.name == "plain") && is_unix)
    refuse_socket(which, "is a unix socket, which speaks no TLS: it may be named unix");
  if (which.name == "tls" && !config.tls)
    refuse_socket(which, "cannot speak TLS: the config has no tls");
  if (which.name == "plain" && !stays_on_loopback(which.fd))
    refuse_socket(which, "must be bound to a loopback address, since it speaks no TLS");
  if (which.name != "unix" && which.name != "tls" && which.name != "plain" && which.name != "unknown" &&
      !which.name.empty() && !which.name.ends_with(".socket"))
    refuse_socket(which, "has a name that says nothing: FileDescriptorName is unix, tls or plain, or is left out");
  return which.name == "plain" || std::ranges::any_of(config.http.listen, [&](const auto& address) {
           return which.name != "tls" && !plain_address_of(address).empty() && is_bound_to(which.fd, address);
         });
}

std::vector<listening::socket> inherited_by(const actors::config& config) {
  std::vector<listening::socket> all;
  for (const auto& one : rpc::service_manager::take_inherited_sockets())
    all.push_back({one.fd, is_plain(one, config)});
  return all;
}

std::vector<std::string> addresses_of(const daemon_options& wanted, const actors::config& config,
                                      const std::vector<listening::socket>& inherited) {
  constexpr auto usual = "127.0.0.1:8080", usual_if_insecure = ":8080";
  auto addresses = config.http.listen;
  if (!wanted.address.empty())
    addresses.push_back(wanted.address);
  if (addresses.empty() && inherited.empty())
    addresses.emplace_back(wanted.insecure ? usual_if_insecure : usual);
  for (const auto& socket : inherited)
    std::erase_if(addresses, [&](const auto& address) { return is_bound_to(socket.fd, address); });
  return addresses;
}

bool stays_on_machine(const listening& on) {
  return std::ranges::all_of(on.addresses, [](const std::string& a) { return stays_on_loopback(a); }) &&
         std::ranges::all_of(on.inherited, [](const auto& socket) { return stays_on_loopback(socket.fd); });
}

std::string name_of(const listening& on) {
  std::string all{on.inherited.empty() ? "" : "the service manager's sockets"};
  for (const auto& address : on.addresses)
    all.append(all.empty() ? "" : ", ").append(address);
  return all;
}

} // namespace

listening choose_sockets(const daemon_options& wanted, const actors::config& config) {
  listening on{inherited_by(config), {}};
  on.addresses = addresses_of(wanted, config, on.inherited);
  if (config.access)
    return on;
  if (wanted.insecure) {
    rpc::log::warning("--insecure: whoever reaches the agent's address may do everything", {{"address", name_of(on)}});
    return on;
  }
  if (!stays_on_machine(on))
    throw rpc::failure{rpc::errc::config_invalid,
                       "listening on " + name_of(on) +
                         " would let in whoever reaches this machine: say in the config who may do what (access), or "
                         "start with --insecure"};
  return on;
}

void warn_if_unreachable(const actors::config& config, const listening& on) {
  if (!config.cluster)
    return;
  const auto& ip = config.cluster->ip;
  const bool served =
    std::ranges::any_of(on.addresses, [&](const std::string& address) { return serves_ipv4(address, ip); }) ||
    std::ranges::any_of(on.inherited, [&](const auto& socket) { return serves_ipv4(socket.fd, ip); });
  if (!served)
    rpc::log::warning("nothing listens on the address that the cluster is told", {{"address", ip}});
}

std::string open_sockets(server& on, const listening& where) {
  for (const auto& socket : where.inherited)
    on.adopt(socket.fd, socket.plain);
  if (!where.inherited.empty())
    rpc::log::info("listening", {{"address", "the service manager's sockets"}});
  for (const auto& address : where.addresses) {
    const auto port = on.listen(address);
    rpc::log::info("listening", {{"address", address}, {"port", std::to_string(port)}});
  }
  return name_of(where);
}

} // namespace mistify::http
