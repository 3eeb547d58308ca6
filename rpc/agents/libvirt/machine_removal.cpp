#include "rpc/agents/libvirt/machine_removal.hpp"

#include "rpc/agents/libvirt/handles.hpp"
#include "rpc/base/cut_text.hpp"

#include <libvirt/virterror.h>

#include <array>
#include <stdexcept>

namespace mistify::agents {

namespace {

/// Of a call that counts something; a driver that knows no such thing has none.
int count(int result) {
  if (result < 0 && virGetLastErrorCode() == VIR_ERR_NO_SUPPORT)
    return 0;
  return must(result);
}

[[noreturn]] void refuse(const std::string& what) {
  throw std::runtime_error{"conflict: the guest was adopted, and its machine has " + what +
                           " that would be lost; remove them with virsh first"};
}

/// True if the driver does not know one of the flags.
bool lacks_flag() {
  const auto code = virGetLastErrorCode();
  return code == VIR_ERR_INVALID_ARG || code == VIR_ERR_NO_SUPPORT || code == VIR_ERR_ARGUMENT_UNSUPPORTED;
}

} // namespace

void undefine_made(virDomainPtr d) {
  constexpr unsigned all = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                           VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;
  constexpr unsigned removed = VIR_DOMAIN_UNDEFINE_NVRAM;
  // A driver refuses flags that it does not know: fewer each time.
  for (const auto flags : {all | removed, all, unsigned{VIR_DOMAIN_UNDEFINE_MANAGED_SAVE}})
    if (virDomainUndefineFlags(d, flags) == 0)
      return;
  must(virDomainUndefine(d));
}

void expect_no_state(virDomainPtr d) {
  if (count(virDomainHasManagedSaveImage(d, 0)) > 0)
    refuse("a saved state");
  if (count(virDomainSnapshotNum(d, 0)) > 0)
    refuse("snapshots");
  if (count(virDomainListAllCheckpoints(d, nullptr, 0)) > 0)
    refuse("checkpoints");
}

/// The last try is for drivers whose machines have neither. QEMU's knows how to keep the firmware's variables, and refuses
/// to undefine a domain that has some without being told what to do.
void undefine_adopted(virDomainPtr d) {
  constexpr unsigned firmware = VIR_DOMAIN_UNDEFINE_KEEP_NVRAM;
  for (const auto flags : {firmware | VIR_DOMAIN_UNDEFINE_KEEP_TPM, firmware}) {
    if (virDomainUndefineFlags(d, flags) == 0)
      return;
    if (!lacks_flag())
      throw_last_error();
  }
  must(virDomainUndefineFlags(d, 0));
}

std::string kept_disks(const adoption& record) {
  constexpr std::size_t longest = 1024; // bytes
  std::string paths;
  for (const auto& disk : record.disks)
    paths.append(paths.empty() ? "" : ", ").append(disk.front().path.string());
  return rpc::cut_text(paths, longest);
}

} // namespace mistify::agents
