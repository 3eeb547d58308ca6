#include "rpc/agents/libvirt/machines.hpp"

#include "rpc/agents/libvirt/adoption.hpp"
#include "rpc/agents/libvirt/claims.hpp"
#include "rpc/agents/libvirt/console_log.hpp"
#include "rpc/agents/libvirt/defaults.hpp"
#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/agents/libvirt/guest_text.hpp"
#include "rpc/agents/libvirt/machine_check.hpp"
#include "rpc/agents/libvirt/machine_removal.hpp"
#include "rpc/agents/libvirt/states.hpp"
#include "rpc/base/log.hpp"
#include "rpc/model/cloud_init.hpp"

#include <libvirt/virterror.h>

#include <algorithm>
#include <pugixml.hpp>

namespace mistify::agents {

namespace {

domain_shape shape_of(virDomainPtr d, unsigned flags = 0) {
  const text_ptr xml{must(virDomainGetXMLDesc(d, flags))};
  return read_domain(xml.get());
}

bool is_off(virDomainPtr d) {
  return must(virDomainIsActive(d)) == 0;
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

void go_on(virDomainPtr d) {
  note_suspended(d, false);
  must(virDomainResume(d));
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

std::string left_alone(const std::string& name) {
  return "left alone: " + name;
}

std::string reason_of_loss() {
  return "started without VNC: the guest has no password for it; set vnc.password (1 to 8 characters) in its metadata "
         "to "
         "have VNC from its next start on";
}

std::string field(const char* list, std::size_t index) {
  return list + ("[" + std::to_string(index) + ']');
}

void expect_networks(const rpc::guest& g, const machine_rules& rules) {
  for (std::size_t i = 0; i < g.nics.size(); ++i)
    if (g.nics[i].network.empty() && !rules.user_network)
      throw std::invalid_argument{field("nics", i) + ".network: " + no_user_network};
}

std::string boot_file(const rpc::guest& g, const char* key, const disk_places& places) {
  const auto named = g.metadata.find(key);
  if (named == g.metadata.end() || named->second.empty())
    return {};
  return places.find_media(named->second, std::string{"metadata."} + key);
}

/// Of a guest with `cloud_init`; others have none, whatever lies there of an earlier one.
std::optional<placed_disk> seed_for(const rpc::guest& g, const disk_places& places) {
  if (!rpc::has_cloud_init(g))
    return std::nullopt;
  auto seed = places.find_seed(g.id);
  if (!seed)
    throw std::invalid_argument{"cloud_init: no seed seeds/" + g.id +
                                ".iso is in a store: the stage ImageStore.CreateSeed of the create makes it"};
  return seed;
}

/// Null if there is no domain; throws for a foreign one.
domain_ptr find_ours(machine_search there) {
  if (!there.foreign.empty())
    throw std::runtime_error{"conflict: this guest's UUID or name is of a domain that is somebody else's, " +
                             left_alone(there.foreign)};
  return std::move(there.ours);
}

/// True if a console of the machine is written to that file.
bool has_log(virDomainPtr d, const std::string& file) {
  pugi::xml_document document;
  document.load_string(text_ptr{must(virDomainGetXMLDesc(d, 0))}.get());
  const auto logs = [&](const pugi::xml_node& device) { return device.child("log").attribute("file").value() == file; };
  return std::ranges::any_of(document.child("domain").child("devices").children(), logs);
}

/// With passwords, which the domain would lose otherwise.
std::string whole_xml(virDomainPtr d) {
  return text_ptr{must(virDomainGetXMLDesc(d, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE))}.get();
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
  auto shape = shape_of(d);
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

// -- making ----------------------------------------------------------------------------------------------------------

rpc::guest_response machines::create(const rpc::guest_request& request) {
  auto g = request.guest;
  expect_uuid(g.id);
  settle_defaults(g);
  expect_plain_text(g);
  expect_networks(g, rules_);
  expect_vnc(g, rules_.vnc_ports);
  const auto turn = hypervisor_.turns().take(g.id);
  const auto connection = hypervisor_.connect();
  define(connection.get(), g, request.args);
  const auto made = need_domain(connection.get(), g);
  return answer(std::move(g), made.get());
}

rpc::guest_response machines::create_and_run(const rpc::guest_request& request) {
  auto started = request;
  started.guest = create(request).guest;
  return run(started);
}

void machines::define(virConnectPtr c, rpc::guest& g, const rpc::metadata_map& args) {
  auto made = plan(g);
  std::unique_lock claim{claims_, std::defer_lock};
  if (g.vnc != 0 || std::ranges::any_of(made.disks, &placed_disk::is_shared))
    claim.lock();
  const auto there = find_ours(find_machine(c, g));
  if (there && rpc::is_adopted(g))
    throw std::runtime_error{"conflict: a domain that was adopted has this UUID, " +
                             left_alone(virDomainGetName(there.get()))};
  take_claims(c, g, there.get(), made);
  const auto xml = build_domain_xml(g, made, with_wish(look_at_host(c), args), console_log(g.id));
  if (there) {
    const auto other = difference(read_domain(xml), shape_of(there.get(), VIR_DOMAIN_XML_INACTIVE));
    if (!other.empty())
      throw std::invalid_argument{"the domain exists already, with other " + other};
    return;
  }
  domain_ptr{must(virDomainDefineXML(c, xml.c_str()))};
}

/// Also tells the guest which format its disks have.
machine_plan machines::plan(rpc::guest& g) const {
  machine_plan made{.disks = {},
                    .seed = seed_for(g, rules_.places),
                    .kernel = boot_file(g, "boot.kernel", rules_.places),
                    .initrd = boot_file(g, "boot.initrd", rules_.places),
                    .vnc_password = vnc_password(g)};
  for (std::size_t i = 0; i < g.disks.size(); ++i) {
    made.disks.push_back(rules_.places.find(g.disks[i], g.id, field("disks", i)));
    g.disks[i].extra["format"] = '"' + std::string{made.disks.back().format()} + '"';
  }
  return made;
}

/// A machine that is there keeps its port.
void machines::take_claims(virConnectPtr c, const rpc::guest& g, virDomainPtr there, machine_plan& made) const {
  for (const auto& disk : made.disks)
    if (disk.is_shared)
      expect_free_disk(c, disk.chain.front().path, g.id, among::all);
  made.vnc_port = g.vnc;
  if (g.vnc == 0)
    return;
  const auto kept = there ? shape_of(there, VIR_DOMAIN_XML_INACTIVE).vnc : 0;
  if (g.vnc == any_vnc_port)
    made.vnc_port = rules_.vnc_ports.holds(kept) ? kept : free_vnc_port(c, rules_.vnc_ports, g.id);
  else if (!there)
    expect_free_vnc_port(c, g.vnc, g.id, among::all);
}

// -- starting --------------------------------------------------------------------------------------------------------

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

// -- acting ----------------------------------------------------------------------------------------------------------

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
