#include "rpc/agents/libvirt/hypervisor.hpp"

#include "rpc/agents/libvirt/adoption.hpp"
#include "rpc/model/unmanaged.hpp"

#include <libvirt/virterror.h>

namespace mistify::agents {

namespace {

constexpr std::size_t max_idle = 8;

// A daemon that answers nothing at all counts as gone after 3 × 5 seconds; calls in flight then fail.
constexpr int keepalive_seconds = 5;
constexpr unsigned keepalive_tries = 3;

} // namespace

hypervisor::hypervisor(std::string uri) : uri_{std::move(uri)} {}

hypervisor::lease::~lease() {
  if (connection_)
    from_->give_back(std::move(connection_));
}

hypervisor::lease hypervisor::connect() {
  auto connection = take_idle();
  return {*this, connection ? std::move(connection) : open()};
}

connection_ptr hypervisor::open() const {
  connection_ptr connection{must(virConnectOpen(uri_.c_str()))};
  // Drivers inside this process know no keepalive, and need none.
  virConnectSetKeepAlive(connection.get(), keepalive_seconds, keepalive_tries);
  return connection;
}

connection_ptr hypervisor::take_idle() {
  std::lock_guard lock{mutex_};
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (virConnectIsAlive(connection.get()) == 1)
      return connection;
  }
  return nullptr;
}

void hypervisor::give_back(connection_ptr c) {
  if (virConnectIsAlive(c.get()) != 1)
    return;
  std::lock_guard lock{mutex_};
  if (idle_.size() < max_idle)
    idle_.push_back(std::move(c));
}

namespace {

domain_ptr found(virDomainPtr d) {
  domain_ptr domain{d};
  if (!domain && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
    throw_last_error();
  return domain;
}

bool is_ours(virDomainPtr d, const std::string& id, by_mark marked) {
  return must(virDomainGetName(d)) == id || (marked == by_mark::yes && find_adoption(d));
}

} // namespace

machine_search find_machine(virConnectPtr c, const rpc::guest& g) {
  return find_machine(c, g.id, by_mark{rpc::is_adopted(g)});
}

machine_search find_machine(virConnectPtr c, const std::string& id, by_mark marked) {
  auto domain = found(virDomainLookupByUUIDString(c, id.c_str()));
  if (domain && is_ours(domain.get(), id, marked))
    return {std::move(domain), {}};
  if (domain)
    return {nullptr, virDomainGetName(domain.get())};
  return {nullptr, found(virDomainLookupByName(c, id.c_str())) ? id : std::string{}};
}

domain_ptr find_domain(virConnectPtr c, const std::string& uuid) {
  return found(virDomainLookupByUUIDString(c, uuid.c_str()));
}

std::vector<domain_ptr> all_domains(virConnectPtr c) {
  virDomainPtr* all = nullptr;
  const auto count = must(virConnectListAllDomains(c, &all, 0));
  std::vector<domain_ptr> domains(all, all + count);
  std::free(static_cast<void*>(all));
  return domains;
}

} // namespace mistify::agents
