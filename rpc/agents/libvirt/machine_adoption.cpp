#include "rpc/agents/libvirt/adoption_plan.hpp"
#include "rpc/agents/libvirt/claims.hpp"
#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/agents/libvirt/domain_xml.hpp"
#include "rpc/agents/libvirt/machines.hpp"
#include "rpc/agents/libvirt/states.hpp"
#include "rpc/base/cut_text.hpp"

#include <libvirt/virterror.h>

#include <ranges>
#include <stdexcept>
#include <strings.h>
#include <utility>

// Machines that libvirt had before they were guests.
namespace mistify::agents {

namespace {

/// Bounds of what one answer names: domains, and bytes of the text of each.
constexpr std::size_t most_domains = 10'000, longest_text = 256, longest_path = 4096;

/// Of each kind, of one domain; more cannot be adopted.
constexpr std::size_t most_shown = 256;

/// Empty if it is off.
std::string running_xml(virDomainPtr d) {
  return is_on(d) ? current_xml(d) : std::string{};
}

[[noreturn]] void refuse(const std::string& why) {
  throw std::runtime_error{"conflict: " + why};
}

/// A copied definition may carry another guest's mark; only its administrator knows which of both is meant.
void expect_own_mark(virDomainPtr d, const std::string& id) {
  const auto mark = read_mark(d);
  if (mark && mark->id != id)
    refuse("its metadata has the mark of another guest's adoption: " + rpc::cut_text(mark->id, longest_text));
}

/// As guests' own machines are. Of ids that were taken over from elsewhere letters may be capitals.
bool is_named_by_id(virDomainPtr d) {
  return strcasecmp(must(virDomainGetName(d)), uuid_of(d).c_str()) == 0;
}

/// Throws std::runtime_error ("conflict: …") for a domain that cannot be taken into care, whatever it is made of.
void expect_adoptable(virDomainPtr d, const std::string& id) {
  if (is_named_by_id(d))
    refuse("the domain is a guest's machine already: its name is its UUID");
  if (must(virDomainIsPersistent(d)) == 0)
    refuse("the domain is transient: it would be gone once it is off (virsh define makes it last)");
  expect_own_mark(d, id);
}

/// Marks the domain as it was planned from that definition.
void mark(virDomainPtr d, const adoption_plan& plan, const std::string& defined) {
  for (const auto& path : plan.own_paths)
    expect_free_disk(virDomainGetConnect(d), path, plan.mark.id, among::all);
  if (defined_xml(d) != defined)
    refuse("the domain was changed while its files were looked at");
  write_mark(d, plan.mark);
}

/// From now on the agent starts the guest with the host, or does not. Returns what is to be told.
std::string turn_autostart_off(virDomainPtr d) {
  int on = 0;
  if (virDomainGetAutostart(d, &on) < 0 || on == 0)
    return {}; // or the driver knows none
  must(virDomainSetAutostart(d, 0));
  return "libvirt's autostart of the domain is off now: the guest's member power says whether it starts with the host";
}

/// Members that the client or the agent says stay as they are.
void put_machine(rpc::guest& g, rpc::guest from) {
  g.memory = from.memory;
  g.cpu = from.cpu;
  g.disks = std::move(from.disks);
  g.nics = std::move(from.nics);
  for (const auto& [key, value] : from.extra)
    g.extra.emplace(key, value);
}

// -- the list --------------------------------------------------------------------------------------------------------

rpc::unmanaged_disk shown(const disk_shape& disk) {
  return {rpc::cut_text(disk.device, longest_text), rpc::cut_text(disk.source, longest_path),
          rpc::cut_text(disk.format, longest_text)};
}

rpc::unmanaged_nic shown(const nic_shape& nic) {
  return {rpc::cut_text(nic.mac, longest_text), rpc::cut_text(nic.source, longest_text),
          rpc::cut_text(nic.device, longest_text)};
}

/// What can be said of any domain.
void show_shape(const domain_shape& shape, rpc::unmanaged_domain& to) {
  constexpr std::uint64_t kb_in_mb = 1024;
  to.memory = shape.memory / kb_in_mb;
  to.cpu = shape.cpus;
  for (const auto& disk : shape.disks | std::views::take(most_shown))
    to.disks.push_back(shown(disk));
  for (const auto& nic : shape.nics | std::views::take(most_shown))
    to.nics.push_back(shown(nic));
}

/// What is known once its files were looked at.
void show_plan(const adoption_plan& plan, rpc::unmanaged_domain& to) {
  to.cpu = plan.guest.cpu;
  for (const auto& disk : plan.guest.disks)
    for (auto& one : to.disks)
      if (one.device == disk.device)
        one.size = disk.size;
}

std::string reason_in(const std::exception& e) {
  constexpr std::string_view code = "conflict: ";
  std::string_view why = e.what();
  if (why.starts_with(code))
    why.remove_prefix(code.size());
  return rpc::cut_text(why, longest_path);
}

void judge(virDomainPtr d, const machine_rules& rules, rpc::unmanaged_domain& to) {
  const auto defined = defined_xml(d), running = running_xml(d);
  show_shape(read_domain(running.empty() ? defined : running), to);
  try {
    show_plan(plan_adoption(to.id, defined, running, rules), to);
    expect_adoptable(d, to.id);
    to.adoptable = true;
  } catch (const hypervisor_error&) {
    throw;
  } catch (const std::invalid_argument& e) {
    to.reason = reason_in(e);
  } catch (const std::runtime_error& e) {
    to.reason = reason_in(e);
  }
}

/// Throws `hypervisor_error` only where the domain or libvirt has gone; else what libvirt refuses is the domain's reason.
rpc::unmanaged_domain look_at(virDomainPtr d, const std::string& name, const machine_rules& rules) {
  rpc::unmanaged_domain found;
  found.id = uuid_of(d);
  found.name = rpc::cut_text(name, longest_text);
  found.state = "unknown";
  try {
    found.state = state_name(d);
    found.marked = find_adoption(d).has_value();
    judge(d, rules, found);
  } catch (const hypervisor_error& e) {
    if (e.code() == VIR_ERR_NO_DOMAIN || virConnectIsAlive(virDomainGetConnect(d)) != 1)
      throw;
    found.reason = reason_in(e);
  }
  return found;
}

} // namespace

rpc::guest_response machines::adopt(const rpc::guest_request& request) {
  const auto& id = request.guest.id;
  expect_uuid(id);
  const auto turn = hypervisor_.turns().take(id);
  const auto connection = hypervisor_.connect();
  const auto domain = find_domain(connection.get(), id);
  if (!domain)
    throw hypervisor_error{VIR_ERR_NO_DOMAIN, "no domain " + id};
  expect_adoptable(domain.get(), id);
  const auto defined = defined_xml(domain.get());
  auto plan = plan_adoption(id, defined, running_xml(domain.get()), rules_);
  {
    const std::lock_guard claim{claims_}; // not longer: files on a slow server take their time
    mark(domain.get(), plan, defined);
  }
  auto message = turn_autostart_off(domain.get());
  auto g = request.guest;
  put_machine(g, std::move(plan.guest));
  auto adopted = answer(std::move(g), domain.get());
  adopted.message = std::move(message);
  return adopted;
}

/// One that goes meanwhile is passed over.
rpc::unmanaged_response machines::list_unmanaged() {
  const std::unique_lock alone{listing_, std::try_to_lock}; // each call looks at the files of all domains
  if (!alone)
    throw std::runtime_error{"in use by another call that lists domains"};
  rpc::unmanaged_response found;
  const auto connection = hypervisor_.connect();
  for (const auto& domain : all_domains(connection.get())) {
    const std::string name = must(virDomainGetName(domain.get()));
    if (is_named_by_id(domain.get()) || found.domains.size() == most_domains)
      continue;
    try {
      found.domains.push_back(look_at(domain.get(), name, rules_));
    } catch (const hypervisor_error& e) {
      if (e.code() != VIR_ERR_NO_DOMAIN)
        throw;
    }
  }
  return found;
}

} // namespace mistify::agents
