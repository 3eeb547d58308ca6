#include "test/libvirt/breakable_libvirt.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace {

struct close_watch {
  virConnectCloseFunc call;
  void* with;
};

/// What the daemon would know of its clients.
struct {
  std::mutex mutex;
  std::condition_variable somebody_came;
  bool away = false, has_refused = false;
  std::set<virConnectPtr> open, broken;
  std::vector<std::pair<virConnectPtr, close_watch>> watches;
} libvirtd;

std::atomic<bool> disk_is_full = false;

/// libvirt's own function behind one that is replaced here.
template <class F>
F* original(F*, const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

bool refuses() {
  const std::lock_guard lock{libvirtd.mutex};
  libvirtd.has_refused = libvirtd.away;
  libvirtd.somebody_came.notify_all();
  return libvirtd.away;
}

bool is_broken(virConnectPtr c) {
  const std::lock_guard lock{libvirtd.mutex};
  return libvirtd.broken.contains(c);
}

void forget(virConnectPtr c) {
  const std::lock_guard lock{libvirtd.mutex};
  libvirtd.open.erase(c);
  libvirtd.broken.erase(c);
}

} // namespace

extern "C" {

virConnectPtr virConnectOpen(const char* name) {
  static auto* const open = original(&virConnectOpen, "virConnectOpen");
  const auto connection = open(refuses() ? "test:///no/daemon" : name); // which fails with a reason of libvirt's
  const std::lock_guard lock{libvirtd.mutex};
  if (connection)
    libvirtd.open.insert(connection);
  return connection;
}

int virConnectClose(virConnectPtr c) {
  static auto* const close = original(&virConnectClose, "virConnectClose");
  forget(c); // the next one may get its address
  return close(c);
}

int virConnectIsAlive(virConnectPtr c) {
  return is_broken(c) ? 0 : 1;
}

/// What every call for a guest begins with.
virDomainPtr virDomainLookupByUUIDString(virConnectPtr c, const char* uuid) {
  static auto* const look_up = original(&virDomainLookupByUUIDString, "virDomainLookupByUUIDString");
  return look_up(c, is_broken(c) ? "over a broken connection" : uuid); // which fails, by libvirt's own reason
}

int virConnectRegisterCloseCallback(virConnectPtr c, virConnectCloseFunc call, void* with, virFreeCallback) {
  const std::lock_guard lock{libvirtd.mutex};
  libvirtd.watches.emplace_back(c, close_watch{call, with});
  return 0;
}

int virConnectUnregisterCloseCallback(virConnectPtr c, virConnectCloseFunc) {
  const std::lock_guard lock{libvirtd.mutex};
  std::erase_if(libvirtd.watches, [&](const auto& row) { return row.first == c; });
  return 0;
}

int virDomainGetState(virDomainPtr d, int* state, int* reason, unsigned flags) {
  static auto* const get = original(&virDomainGetState, "virDomainGetState");
  const int result = get(d, state, reason, flags);
  if (result == 0 && disk_is_full && reason && *state == VIR_DOMAIN_PAUSED)
    *reason = VIR_DOMAIN_PAUSED_IOERROR;
  return result;
}

/// The test driver's disks are never full.
int virDomainGetDiskErrors(virDomainPtr d, virDomainDiskErrorPtr errors, unsigned most, unsigned flags) {
  static auto* const get = original(&virDomainGetDiskErrors, "virDomainGetDiskErrors");
  if (!disk_is_full || most == 0)
    return get(d, errors, most, flags);
  errors[0] = {::strdup("vda"), VIR_DOMAIN_DISK_ERROR_NO_SPACE};
  return 1;
}

} // extern "C"

namespace mistify::test {

daemon_outage::daemon_outage() {
  const std::lock_guard lock{libvirtd.mutex};
  libvirtd.away = true;
  libvirtd.has_refused = false;
  libvirtd.broken = libvirtd.open;
  // With the lock held, as libvirt does: who takes its watch back waits until it was called.
  for (const auto& [connection, watch] : libvirtd.watches)
    watch.call(connection, VIR_CONNECT_CLOSE_REASON_EOF, watch.with);
}

daemon_outage::~daemon_outage() {
  const std::lock_guard lock{libvirtd.mutex};
  libvirtd.away = false;
}

bool daemon_outage::refuses_somebody() const {
  std::unique_lock lock{libvirtd.mutex};
  return libvirtd.somebody_came.wait_for(lock, std::chrono::seconds{10}, [] { return libvirtd.has_refused; });
}

full_disk::full_disk() {
  disk_is_full = true;
}

full_disk::~full_disk() {
  disk_is_full = false;
}

} // namespace mistify::test
