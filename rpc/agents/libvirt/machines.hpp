#pragma once

#include "rpc/agents/libvirt/adoption.hpp"
#include "rpc/agents/libvirt/domain_builder.hpp"
#include "rpc/agents/libvirt/domain_notes.hpp"
#include "rpc/agents/libvirt/hypervisor.hpp"
#include "rpc/agents/libvirt/machine_rules.hpp"
#include "rpc/agents/libvirt/pending_changes.hpp"
#include "rpc/model/messages.hpp"
#include "rpc/model/unmanaged.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace mistify::agents {

struct machine_change;

/// The machines behind guests: what each method does to one. Which domain is a guest's says `find_machine`; no method but
/// `adopt` touches another one.
///
/// Every member may be called from any thread; calls on one guest take turns. Each returns the guest as it is then: its
/// state, and what libvirt chose filled in. What is done already succeeds once more. Throws std::invalid_argument where
/// the guest cannot be understood or the rules forbid it, `hypervisor_error` with libvirt's reason where it refuses,
/// std::runtime_error ("conflict: …") where a foreign domain is in the way.
class machines {
public:
  /// Serial consoles are logged to `consoles`/ID.log, by libvirt; the folder is made where it is missing.
  /// `notes` is what libvirt's events say; it outlives this.
  machines(hypervisor& where, std::filesystem::path consoles, machine_rules rules, const domain_notes& notes);

  // machine_definition.cpp

  /// Defines the domain; a machine of that id and another shape stays as it is, and is an error. The stage's arg `domain`
  /// ("kvm", "qemu") overrides what the host can do best.
  rpc::guest_response create(const rpc::guest_request& request);
  /// `create`, then `run`.
  rpc::guest_response create_and_run(const rpc::guest_request& request);

  // machine_start.cpp

  /// Starts it, or wakes it up. What it is started with is checked and brought up to date before.
  rpc::guest_response run(const rpc::guest_request& request);

  // machines.cpp

  /// Asks the guest to boot anew. With a `wait` it is over when libvirt tells of the reset; at once where it tells of
  /// none. Throws std::runtime_error ("conflict: …") for a guest that is off, as `restart`, `suspend` and `hibernate` do.
  rpc::guest_response reboot(const rpc::guest_request& request);
  /// Resets it, whatever it does.
  rpc::guest_response restart(const rpc::guest_request& request);
  /// Presses its power button. With a `wait` it is over when the guest is off, else at once.
  rpc::guest_response shutdown(const rpc::guest_request& request);
  /// Pulls its plug.
  rpc::guest_response poweroff(const rpc::guest_request& request);
  rpc::guest_response suspend(const rpc::guest_request& request);
  /// Lets it go on: one that is paused or asleep, or, from its saved state, one that is hibernated. Throws
  /// std::runtime_error ("conflict: …") for one that is off.
  rpc::guest_response resume(const rpc::guest_request& request);
  /// Saves its memory to the host's disk and turns it off; the next start goes on from there.
  rpc::guest_response hibernate(const rpc::guest_request& request);
  /// Pulls its plug, and forgets it with its console's log. The disks are not touched. Of an adopted machine neither is
  /// what its firmware and its TPM keep, and the message names the disks that nobody removes; throws std::runtime_error
  /// ("conflict: …") if it has a saved state, snapshots or checkpoints. A foreign domain is left alone, which the message
  /// says.
  rpc::guest_response remove(const rpc::guest_request& request);

  // machine_adoption.cpp

  /// Makes the domain with the guest's id as its UUID the guest's machine, running or not: writes the mark, and turns
  /// libvirt's autostart off. Returns the guest as the machine is; an earlier mark is renewed. Throws
  /// std::invalid_argument for what cannot be in a guest, std::runtime_error ("conflict: …", "in use by …") for a domain
  /// that cannot be taken into care.
  rpc::guest_response adopt(const rpc::guest_request& request);
  /// The domains whose names are not their UUIDs, the marked ones too: only the agent knows whether it has their guests.
  /// At most 10,000. Throws std::runtime_error ("in use by …") while another call is at it.
  rpc::unmanaged_response list_unmanaged();

  // machine_changes.cpp, machine_disks.cpp, machine_nics.cpp: each changes the machine as it is defined, and as it runs where the params' `apply` wants that and
  // QEMU can. Where it cannot, `live` is refused, and else the message says why it takes effect at the next start.

  /// Memory and processors as the guest has them.
  rpc::guest_response update(const rpc::guest_request& request);
  /// Adds the guest's disks that the machine does not have yet: mistify-storage made them.
  rpc::guest_response attach_disk(const rpc::guest_request& request);
  /// Takes the disk with the params' device off the machine. It stays in the guest: mistify-storage takes it out.
  rpc::guest_response detach_disk(const rpc::guest_request& request);
  /// Tells a machine that runs how large its disk is, which QEMU makes so.
  rpc::guest_response resize_disk(const rpc::guest_request& request);
  /// Adds the params' nic to guest and machine.
  rpc::guest_response attach_nic(const rpc::guest_request& request);
  /// Takes the nic at the params' place off guest and machine.
  rpc::guest_response detach_nic(const rpc::guest_request& request);
  /// What of the machine is different at its next start.
  std::vector<pending_change> pending(const rpc::guest_request& request);

  /// Whether the guest has a machine. Throws std::runtime_error ("conflict: …") for an adopted one whose console is not
  /// logged where those of the others are.
  bool is_there(const std::string& id, bool adopted);
  /// `unknown` with a message for a guest in whose place is a foreign domain.
  rpc::guest_response status(const rpc::guest_request& request);

private:
  using change = std::function<void(virDomainPtr)>;
  void place_disks(virDomainPtr d, rpc::guest& g, machine_change& to, std::unique_lock<std::mutex>& claim);
  rpc::guest_response act(const rpc::guest_request& request, const change& what);
  rpc::guest_response answer(rpc::guest g, virDomainPtr d) const;
  bool awaits_reset(const rpc::guest_request& request);
  void forget_reboot(const std::string& id);
  void define(virConnectPtr c, rpc::guest& g, const rpc::metadata_map& args);
  machine_plan plan(rpc::guest& g) const;
  void take_claims(virConnectPtr c, const rpc::guest& g, virDomainPtr there, machine_plan& made) const;
  std::string start(virDomainPtr d, const rpc::guest& g);
  std::string boot(virDomainPtr d, const rpc::guest& g);
  std::int64_t vnc_port(virConnectPtr c, const rpc::guest& g, std::int64_t kept,
                        std::unique_lock<std::mutex>& claim) const;
  void expect_sound_saved_state(virDomainPtr d, const rpc::guest& g) const;
  std::string console_log(const std::string& id) const;
  void forget_console(const std::string& id) const;

  hypervisor& hypervisor_;
  std::filesystem::path consoles_;
  machine_rules rules_;
  const domain_notes& notes_;
  std::mutex listing_; // held while all domains are looked at
  std::mutex reboots_lock_;
  std::map<std::string, domain_notes::reset_count> reboots_; ///< resets of guests before a reboot that is awaited
  std::mutex claims_; // held while a machine takes what others could take as well: a volume, a port
};

bool is_uuid(const std::string& text);

/// Throws std::invalid_argument unless it is a UUID, which every domain needs, and which is harmless in a path.
void expect_uuid(const std::string& id);

/// What the adoption of the guest's machine recorded; null for a guest that was not adopted.
std::optional<adoption> record_of(virDomainPtr machine, const rpc::guest& g);

/// Says that a foreign domain is.
std::string left_alone(const std::string& name);

/// What was found of a guest; null if there is no domain. Throws std::runtime_error for a foreign one.
domain_ptr find_ours(machine_search there);

/// The domain of a guest. Throws `hypervisor_error` where there is none, std::runtime_error for a foreign one.
domain_ptr need_domain(virConnectPtr c, const rpc::guest& g);

} // namespace mistify::agents
