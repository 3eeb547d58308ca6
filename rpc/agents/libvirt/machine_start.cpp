#include "rpc/agents/libvirt/claims.hpp"
#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/agents/libvirt/domain_xml.hpp"
#include "rpc/agents/libvirt/machine_check.hpp"
#include "rpc/agents/libvirt/machines.hpp"
#include "rpc/agents/libvirt/states.hpp"

#include <libvirt/virterror.h>

#include <stdexcept>
#include <utility>

// Starts of machines, and what is checked before.
namespace mistify::agents {

namespace {

std::string reason_of_loss() {
  return "started without VNC: the guest has no password for it; set vnc.password (1 to 8 characters) in its metadata "
         "to "
         "have VNC from its next start on";
}

} // namespace

rpc::guest_response machines::run(const rpc::guest_request& request) {
  std::string message;
  auto started = act(request, [&](virDomainPtr d) { message = start(d, request.guest); });
  if (!message.empty() && started.guest.vnc == 0)
    started.guest.vnc = any_vnc_port; // a password is all that its display needs to come back
  started.message = std::move(message);
  return started;
}

/// Returns what is to be told.
std::string machines::start(virDomainPtr d, const rpc::guest& g) {
  switch (state_of(d)) {
  case VIR_DOMAIN_RUNNING:
  case VIR_DOMAIN_BLOCKED: return {};
  case VIR_DOMAIN_PAUSED: go_on(d); return {};
  case VIR_DOMAIN_PMSUSPENDED: must(virDomainPMWakeup(d, 0)); return {};
  default: return boot(d, g);
  }
}

/// The domain may be of before, and what lies behind its disks changes with each snapshot.
std::string machines::boot(virDomainPtr d, const rpc::guest& g) {
  const auto xml = whole_xml(d);
  const auto c = virDomainGetConnect(d);
  std::unique_lock claim{claims_, std::defer_lock};
  auto asked = g;
  asked.vnc = vnc_port(c, g, read_domain(xml).vnc, claim);
  const auto adopted = record_of(d, g);
  const auto checked = check_machine(xml, asked, rules_, adopted ? &*adopted : nullptr);
  expect_sound_saved_state(d, asked);
  if (checked.is_changed)
    domain_ptr{must(virDomainDefineXML(c, checked.xml.c_str()))};
  if (!checked.shared_disks.empty() && !claim.owns_lock())
    claim.lock();
  for (const auto& path : checked.shared_disks)
    expect_free_disk(c, path, g.id, among::running);
  must(virDomainCreate(d));
  return checked.lost_vnc ? reason_of_loss() : std::string{};
}

/// The port of a guest that starts: what it asks for, or what its machine has, or any that is free. 0 where it has no
/// password. Throws std::runtime_error if its machine's port is that of another machine that runs, as QEMU would late.
std::int64_t machines::vnc_port(virConnectPtr c, const rpc::guest& g, std::int64_t kept,
                                std::unique_lock<std::mutex>& claim) const {
  const auto wish = g.vnc == 0 ? kept : g.vnc;
  if (wish == 0 || vnc_password(g).empty())
    return 0;
  const auto port = rules_.vnc_ports.holds(wish) ? wish : kept;
  if (port == kept && rules_.vnc_ports.holds(kept)) {
    expect_free_vnc_port(c, kept, g.id, among::running);
    return kept;
  }
  claim.lock();
  return free_vnc_port(c, rules_.vnc_ports, g.id, port);
}

/// libvirt resumes a saved machine by the XML that it was saved with.
void machines::expect_sound_saved_state(virDomainPtr d, const rpc::guest& g) const {
  if (must(virDomainHasManagedSaveImage(d, 0)) == 0)
    return;
  const text_ptr xml{virDomainManagedSaveGetXMLDesc(d, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE)};
  if (!xml && virGetLastErrorCode() == VIR_ERR_NO_SUPPORT)
    return; // libvirt's test driver, whose machines have no disks and displays
  must(xml.get());
  const auto adopted = record_of(d, g);
  const auto checked = check_machine(xml.get(), g, rules_, adopted ? &*adopted : nullptr);
  if (checked.is_reformatted || checked.lost_vnc || checked.was_open)
    throw std::runtime_error{
      "the machine's saved state is of before, with a disk or a display that it must not have any "
      "more (virsh managedsave-remove " +
      g.id + " lets it boot anew)"};
}

} // namespace mistify::agents
