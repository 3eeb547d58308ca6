#include "rpc/agents/libvirt/domain_watch.hpp"

namespace mistify::agents {

namespace {

/// libvirt keeps its own copy, and frees it when it calls back no more.
void* copy_of(const watcher& w) {
  return new watcher{w};
}

void free_copy(void* copy) {
  delete static_cast<watcher*>(copy);
}

int lifecycle(virConnectPtr, virDomainPtr domain, int, int, void* copy) {
  char uuid[VIR_UUID_STRING_BUFLEN];
  if (virDomainGetUUIDString(domain, uuid) == 0)
    static_cast<watcher*>(copy)->changed(uuid);
  return 0;
}

void closed(virConnectPtr, int, void* copy) {
  static_cast<watcher*>(copy)->broke();
}

} // namespace

domain_watch::domain_watch(connection_ptr connection, watcher tell) : connection_{std::move(connection)} {
  auto* copy = copy_of(tell);
  events_ = virConnectDomainEventRegisterAny(connection_.get(), nullptr, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                             VIR_DOMAIN_EVENT_CALLBACK(lifecycle), copy, free_copy);
  if (events_ < 0) {
    free_copy(copy);
    throw_last_error();
  }
  // Drivers inside this process know no such thing: their connections do not break.
  copy = copy_of(tell);
  if (virConnectRegisterCloseCallback(connection_.get(), closed, copy, free_copy) < 0)
    free_copy(copy);
}

domain_watch::~domain_watch() {
  virConnectDomainEventDeregisterAny(connection_.get(), events_);
  virConnectUnregisterCloseCallback(connection_.get(), closed);
}

} // namespace mistify::agents
