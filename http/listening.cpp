#include "http/listening.hpp"

#include "http/process/systemd.hpp"
#include "http/server/listener.hpp"
#include "http/server/server.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/log.hpp"

#include <algorithm>

namespace mistify::http {

namespace {

bool is_unix(const std::string& address) {
  return !unix_path_of(address).empty();
}

void drop_replaced(std::vector<std::string>& addresses, const std::vector<int>& inherited) {
  for (const int socket : inherited)
    std::erase_if(addresses, [kind = is_unix_socket(socket)](const auto& address) { return is_unix(address) == kind; });
}

std::vector<std::string> addresses_of(const daemon_options& wanted, const actors::config& config,
                                      const std::vector<int>& inherited) {
  constexpr auto usual = "127.0.0.1:8080", usual_if_insecure = ":8080";
  auto addresses = config.http.listen;
  if (!wanted.address.empty())
    addresses.push_back(wanted.address);
  if (addresses.empty() && inherited.empty())
    addresses.emplace_back(wanted.insecure ? usual_if_insecure : usual);
  drop_replaced(addresses, inherited);
  return addresses;
}

bool stays_on_machine(const listening& on) {
  return std::ranges::all_of(on.addresses, [](const std::string& a) { return stays_on_loopback(a); }) &&
         std::ranges::all_of(on.inherited, [](int socket) { return stays_on_loopback(socket); });
}

std::string name_of(const listening& on) {
  std::string all{on.inherited.empty() ? "" : "the service manager's sockets"};
  for (const auto& address : on.addresses)
    all.append(all.empty() ? "" : ", ").append(address);
  return all;
}

} // namespace

listening choose_sockets(const daemon_options& wanted, const actors::config& config) {
  listening on{systemd::inherited_sockets(), {}};
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
    std::ranges::any_of(on.inherited, [&](int socket) { return serves_ipv4(socket, ip); });
  if (!served)
    rpc::log::warning("nothing listens on the address that the cluster is told", {{"address", ip}});
}

std::string open_sockets(server& on, const listening& where) {
  for (const int socket : where.inherited)
    on.adopt(socket);
  if (!where.inherited.empty())
    rpc::log::info("listening", {{"address", "the service manager's sockets"}});
  for (const auto& address : where.addresses) {
    const auto port = on.listen(address);
    rpc::log::info("listening", {{"address", address}, {"port", std::to_string(port)}});
  }
  return name_of(where);
}

} // namespace mistify::http
