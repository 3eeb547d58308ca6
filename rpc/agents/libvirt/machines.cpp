#include "rpc/agents/libvirt/machines.hpp"

#include "rpc/agents/libvirt/adoption.hpp"
#include "rpc/agents/libvirt/console_log.hpp"
#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/agents/libvirt/domain_xml.hpp"
#include "rpc/agents/libvirt/machine_removal.hpp"
#include "rpc/agents/libvirt/states.hpp"
#include "rpc/base/log.hpp"

#include <libvirt/virterror.h>

#include <algorithm>
#include <pugixml.hpp>

namespace mistify::agents {

namespace {

bool is_off(virDomainPtr d) {
  return !is_on(d);
}

/// libvirt's drivers refuse a machine that is off by codes that differ.
void expect_on(virDomainPtr d) {
  if (is_off(d))
    throw std::runtime_error{"conflict: the guest is off"};
}

/// It may go off by itself in the same moment, which is just as well.
void destroy(virDomainPtr d) {
  if (is_off(d) || virDomainDestroy(d) == 0)
    return;
  const hypervisor_error refusal{virGetLastErrorCode(), virGetLastErrorMessage()};
  if (!is_off(d))
    throw refusal;
}

/// Returns what the guest leaves on the host. The log says so too, since the domain does no more.
std::string remove_adopted(virDomainPtr d, const rpc::guest& g) {
  const auto record = record_of(d, g);
  const auto disks = record ? kept_disks(*record) : std::string{};
  expect_no_state(d);
  destroy(d);
  if (!disks.empty())
    rpc::log::warning("disks of a deleted guest that was adopted stay", {{"guest", g.id}, {"disks", disks}});
  undefine_adopted(d);
  return disks.empty() ? disks : "its disks outside of the store stay: " + disks;
}

void remove_made(virDomainPtr d) {
  destroy(d);
  undefine_made(d);
}

void reboot_now(virDomainPtr d) {
  expect_on(d);
  must(virDomainReboot(d, 0));
}

void reset(virDomainPtr d) {
  expect_on(d);
  must(virDomainReset(d, 0));
  if (state_of(d) == VIR_DOMAIN_PAUSED)
    go_on(d);
}

void press_power_button(virDomainPtr d) {
  if (!is_off(d) && state_of(d) != VIR_DOMAIN_SHUTDOWN)
    must(virDomainShutdown(d));
}

/// libvirt keeps no note of a suspend where something else, such as a full disk, has paused the guest before.
void pause(virDomainPtr d) {
  expect_on(d);
  if (state_of(d) != VIR_DOMAIN_PAUSED)
    must(virDomainSuspend(d));
  else
    note_suspended(d, true);
}

/// Seconds until a guest that goes off, or boots anew, is looked at again.
constexpr std::uint64_t look_again = 1;

void look(virDomainPtr) {}

/// True if a console of the machine is written to that file.
bool has_log(virDomainPtr d, const std::string& file) {
  pugi::xml_document document;
  document.load_string(current_xml(d).c_str());
  const auto logs = [&](const pugi::xml_node& device) { return device.child("log").attribute("file").value() == file; };
  return std::ranges::any_of(document.child("domain").child("devices").children(), logs);
}

} // namespace

bool is_uuid(const std::string& text) {
  const auto fits = [&](std::size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23 ? text[i] == '-'
                                                   : std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
  };
  bool all_fit = text.size() == 36;
  for (std::size_t i = 0; all_fit && i < text.size(); ++i)
    all_fit = fits(i);
  return all_fit;
}

void expect_uuid(const std::string& id) {
  if (!is_uuid(id))
    throw std::invalid_argument{"invalid argument: the guest's id must be a UUID"};
}

std::optional<adoption> record_of(virDomainPtr machine, const rpc::guest& g) {
  return rpc::is_adopted(g) ? find_adoption(machine) : std::nullopt;
}

std::string left_alone(const std::string& name) {
  return "left alone: " + name;
}

domain_ptr find_ours(machine_search there) {
  if (!there.foreign.empty())
    throw std::runtime_error{"conflict: this guest's UUID or name is of a domain that is somebody else's, " +
                             left_alone(there.foreign)};
  return std::move(there.ours);
}

domain_ptr need_domain(virConnectPtr c, const rpc::guest& g) {
  auto ours = find_ours(find_machine(c, g));
  if (!ours)
    throw hypervisor_error{VIR_ERR_NO_DOMAIN, "no domain " + g.id};
  return ours;
}

machines::machines(hypervisor& where, std::filesystem::path consoles, machine_rules rules, const domain_notes& notes)
  : hypervisor_{where}, consoles_{std::move(consoles)}, rules_{std::move(rules)}, notes_{notes} {
  // Where that fails, libvirt says so at a guest's start; with the test driver nothing is written there at all.
  std::error_code ignored;
  std::filesystem::create_directories(consoles_, ignored);
}

rpc::guest_response machines::answer(rpc::guest g, virDomainPtr d) const {
  auto shape = read_domain(current_xml(d));
  if (g.vnc == 0 && rpc::is_adopted(g)) // its display is its administrator's
    shape.vnc = 0;
  fill_in(g, shape);
  g.state = state_name(d);
  g.state_reason = state_reason(d, notes_);
  return {std::move(g)};
}

rpc::guest_response machines::act(const rpc::guest_request& request, const change& what) {
  const auto& id = request.guest.id;
  expect_uuid(id);
  const auto turn = hypervisor_.turns().take(id);
  const auto connection = hypervisor_.connect();
  const auto domain = need_domain(connection.get(), request.guest);
  what(domain.get());
  return answer(request.guest, domain.get());
}

rpc::guest_response machines::reboot(const rpc::guest_request& request) {
  if (request.again) {
    auto now = act(request, look);
    now.retry = awaits_reset(request) ? look_again : 0;
    return now;
  }
  const auto before = notes_.resets_of(request.guest.id);
  auto asked = act(request, reboot_now);
  if (rpc::wait_of(request) && before) {
    const std::lock_guard lock{reboots_lock_};
    reboots_[request.guest.id] = *before;
    asked.retry = look_again;
  }
  return asked;
}

/// False for a reboot that this process did not begin, or whose reset may have been missed: none would be told of.
bool machines::awaits_reset(const rpc::guest_request& request) {
  const std::lock_guard lock{reboots_lock_};
  const auto found = reboots_.find(request.guest.id);
  if (found == reboots_.end())
    return false;
  if (notes_.resets_of(request.guest.id) == found->second)
    return true;
  reboots_.erase(found);
  return false;
}

void machines::forget_reboot(const std::string& id) {
  const std::lock_guard lock{reboots_lock_};
  reboots_.erase(id);
}

rpc::guest_response machines::restart(const rpc::guest_request& request) {
  return act(request, reset);
}

rpc::guest_response machines::shutdown(const rpc::guest_request& request) {
  bool off = false;
  auto asked = act(request, [&](virDomainPtr d) {
    if (!request.again)
      press_power_button(d);
    off = is_off(d);
  });
  if (rpc::wait_of(request) && !off)
    asked.retry = look_again;
  return asked;
}

rpc::guest_response machines::poweroff(const rpc::guest_request& request) {
  forget_reboot(request.guest.id);
  return act(request, destroy);
}

rpc::guest_response machines::suspend(const rpc::guest_request& request) {
  return act(request, pause);
}

rpc::guest_response machines::resume(const rpc::guest_request& request) {
  std::string message;
  auto now = act(request, [&](virDomainPtr d) {
    if (is_off(d) && must(virDomainHasManagedSaveImage(d, 0)) == 0)
      throw std::runtime_error{"conflict: the guest is off; start it"};
    message = start(d, request.guest);
  });
  now.message = std::move(message);
  return now;
}

rpc::guest_response machines::hibernate(const rpc::guest_request& request) {
  return act(request, [](virDomainPtr d) {
    if (is_off(d) && must(virDomainHasManagedSaveImage(d, 0)) != 0)
      return;
    expect_on(d);
    must(virDomainManagedSave(d, 0));
  });
}

bool machines::is_there(const std::string& id, bool adopted) {
  expect_uuid(id);
  const auto connection = hypervisor_.connect();
  const auto there = find_ours(find_machine(connection.get(), id, by_mark{adopted}));
  if (there && adopted && !has_log(there.get(), console_log(id)))
    throw std::runtime_error{"conflict: the guest was adopted, and its machine logs no console to " + console_log(id)};
  return there != nullptr;
}

rpc::guest_response machines::status(const rpc::guest_request& request) {
  const auto& id = request.guest.id;
  expect_uuid(id);
  const auto turn = hypervisor_.turns().take(id);
  const auto connection = hypervisor_.connect();
  if (const auto there = find_machine(connection.get(), request.guest); !there.foreign.empty()) {
    rpc::guest_response unknown{request.guest, left_alone(there.foreign)};
    unknown.guest.state = "unknown";
    unknown.guest.state_reason.clear();
    return unknown;
  }
  return answer(request.guest, need_domain(connection.get(), request.guest).get());
}

rpc::guest_response machines::remove(const rpc::guest_request& request) {
  rpc::guest_response gone{request.guest};
  expect_uuid(gone.guest.id);
  const auto turn = hypervisor_.turns().take(gone.guest.id);
  const auto connection = hypervisor_.connect();
  forget_reboot(gone.guest.id);
  const auto there = find_machine(connection.get(), gone.guest);
  if (there.ours && rpc::is_adopted(gone.guest))
    gone.message = remove_adopted(there.ours.get(), gone.guest);
  else if (there.ours)
    remove_made(there.ours.get());
  if (!there.foreign.empty())
    gone.message = left_alone(there.foreign);
  forget_console(gone.guest.id);
  gone.guest.state = "shutoff";
  gone.guest.state_reason = "user";
  gone.guest.vnc = 0;
  return gone;
}

std::string machines::console_log(const std::string& id) const {
  return consoles_ / (id + ".log");
}

/// Beside the log there may be ID.log.0 and so on, with gaps: virtlogd rotates. That they cannot be removed is no reason
/// to keep the guest.
void machines::forget_console(const std::string& id) const {
  std::error_code ignored;
  const auto log = console_log(id);
  std::filesystem::remove(log, ignored);
  for (int i = 0; i < agents::console_log::most_older; ++i)
    std::filesystem::remove(log + '.' + std::to_string(i), ignored);
}

} // namespace mistify::agents
