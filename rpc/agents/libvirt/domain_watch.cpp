#include "rpc/agents/libvirt/domain_watch.hpp"

#include <string_view>

namespace mistify::agents {

namespace {

/// libvirt keeps its own copy, and frees it when it calls back no more.
void* copy_of(const watcher& w) {
  return new watcher{w};
}

void free_copy(void* copy) {
  delete static_cast<watcher*>(copy);
}

int lifecycle(virConnectPtr, virDomainPtr domain, int event, int detail, void* copy) {
  char uuid[VIR_UUID_STRING_BUFLEN];
  if (virDomainGetUUIDString(domain, uuid) == 0)
    static_cast<watcher*>(copy)->changed(uuid, event, detail);
  return 0;
}

void reset(virConnectPtr, virDomainPtr domain, void* copy) {
  char uuid[VIR_UUID_STRING_BUFLEN];
  if (virDomainGetUUIDString(domain, uuid) == 0)
    static_cast<watcher*>(copy)->reset(uuid);
}

void closed(virConnectPtr, int, void* copy) {
  static_cast<watcher*>(copy)->broke();
}

} // namespace

domain_watch::domain_watch(connection_ptr connection, watcher tell)
  : connection_{std::move(connection)}, tell_{std::move(tell)} {
  auto* copy = copy_of(tell_);
  events_ = virConnectDomainEventRegisterAny(connection_.get(), nullptr, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                             VIR_DOMAIN_EVENT_CALLBACK(lifecycle), copy, free_copy);
  if (events_ < 0) {
    free_copy(copy);
    throw_last_error();
  }
  auto* other = copy_of(tell_);
  resets_ = virConnectDomainEventRegisterAny(connection_.get(), nullptr, VIR_DOMAIN_EVENT_ID_REBOOT,
                                             VIR_DOMAIN_EVENT_CALLBACK(reset), other, free_copy);
  if (resets_ < 0)
    free_copy(other);
  // Drivers inside this process know no such thing: their connections do not break. Some say that they took the callback
  // all the same, and would never free a copy. libvirt holds a lock while it calls, which taking it back waits for.
  virConnectRegisterCloseCallback(connection_.get(), closed, &tell_, nullptr);
}

bool domain_watch::hears_resets() const {
  const auto* driver = virConnectGetType(connection_.get());
  return resets_ >= 0 && driver && std::string_view{driver} != "TEST";
}

domain_watch::~domain_watch() {
  if (resets_ >= 0)
    virConnectDomainEventDeregisterAny(connection_.get(), resets_);
  virConnectDomainEventDeregisterAny(connection_.get(), events_);
  virConnectUnregisterCloseCallback(connection_.get(), closed);
}

} // namespace mistify::agents
