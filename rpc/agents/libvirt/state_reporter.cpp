#include "rpc/agents/libvirt/state_reporter.hpp"

#include "rpc/agents/libvirt/adoption.hpp"
#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/agents/libvirt/domain_xml.hpp"
#include "rpc/agents/libvirt/states.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/log.hpp"
#include "rpc/model/power.hpp"
#include "rpc/model/unmanaged.hpp"

#include <algorithm>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <utility>
#include <vector>

namespace mistify::agents {

namespace {

using namespace std::chrono_literals;

/// A change seldom comes alone, and one that a job makes is best told of once that has ended.
constexpr auto settling = 100ms;
/// For a guest of which a job runs.
constexpr auto busy_pause = 400ms;
/// For an agent, or a libvirt, that is not there.
constexpr auto away_pause = 1s;

const std::string loss = "guests' states are told later";

/// One line when the trouble begins and one when it is over.
void note_libvirt(bool& is_away, bool now, const std::string& reason = {}) {
  if (std::exchange(is_away, now) == now)
    return;
  if (now)
    rpc::log::warning("libvirt is away: " + loss, {{"reason", reason}});
  else
    rpc::log::warning("libvirt is back");
}

/// A guest that goes on with less is stopped again at once.
constexpr std::uint64_t least_room = 16U << 20U; // bytes

/// What the agent's guest wants of a full disk: by default to go on.
bool goes_on(const std::string& stored) {
  try {
    const auto document = rpc::json::document::parse(stored);
    const auto* wish = document.root().find("on_io_error");
    return !wish || wish->text() != R"("stay")";
  } catch (const rpc::failure&) {
    return false;
  }
}

/// Whether the machine is that of the guest that the agent has: a mark alone does not say so.
bool is_machine_of(const std::string& stored, virDomainPtr machine) {
  if (must(virDomainGetName(machine)) == uuid_of(machine))
    return true;
  try {
    const auto document = rpc::json::document::parse(stored);
    const auto* adopted = document.root().find(rpc::adopted_member);
    return adopted && adopted->text() == "true";
  } catch (const rpc::failure&) {
    return false;
  }
}

/// True for what is no file, such as a volume of a pool: how much room that has is not known here.
bool has_room(const std::string& path) {
  struct stat file {};
  struct statvfs system {};
  if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode))
    return true;
  return ::statvfs(path.c_str(), &system) != 0 || std::uint64_t{system.f_bavail} * system.f_frsize >= least_room;
}

bool has_room(virDomainPtr d, const std::vector<std::string>& devices) {
  const auto shape = read_domain(current_xml(d));
  return std::ranges::all_of(shape.disks, [&](const disk_shape& disk) {
    return std::ranges::find(devices, disk.device) == devices.end() || has_room(disk.source);
  });
}

} // namespace

void state_reporter::inbox::add(const std::string& guest, due_reports::clock::duration in) {
  {
    const std::lock_guard lock{mutex};
    due.add(guest, due_reports::clock::now() + in);
  }
  wake.notify_all();
}

void state_reporter::inbox::note_broken() {
  {
    const std::lock_guard lock{mutex};
    broken = true;
  }
  wake.notify_all();
}

state_reporter::state_reporter(hypervisor& of, const rpc::agent_address& agent, std::shared_ptr<domain_notes> notes,
                               std::filesystem::path known)
  : hypervisor_{of}, notes_{std::move(notes)}, known_{std::move(known)}, agent_{agent, loss},
    thread_{[this](const std::stop_token& stop) { run(stop); }} {}

state_reporter::~state_reporter() {
  thread_.request_stop();
  agent_.give_up();
  thread_.join();
}

void state_reporter::note_missing(const std::string& guest) {
  inbox_->add(guest, settling);
}

void state_reporter::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!keep_watching()) {
      std::unique_lock lock{inbox_->mutex};
      inbox_->wake.wait_for(lock, stop, away_pause, [] { return false; });
    } else {
      if (const auto guest = wait(stop))
        report(*guest, stop);
      if (const auto guest = room_.take(room_watch::clock::now()); guest && !stop.stop_requested())
        go_on(*guest);
    }
  }
}

// -- libvirt ---------------------------------------------------------------------------------------------------------

bool state_reporter::keep_watching() {
  {
    const std::lock_guard lock{inbox_->mutex};
    if (!inbox_->broken)
      return true;
  }
  try {
    watch();
    note_libvirt(libvirt_is_away_, false);
    return true;
  } catch (const hypervisor_error& e) {
    note_libvirt(libvirt_is_away_, true, e.what());
    return false;
  }
}

void state_reporter::watch() {
  watch_.reset();
  notes_->miss_resets();
  {
    const std::lock_guard lock{inbox_->mutex};
    inbox_->broken = false;
  }
  try {
    watch_.emplace(hypervisor_.open(),
                   watcher{[to = inbox_, notes = notes_](const std::string& guest, int event, int detail) {
                             notes->note_life(guest, event, detail);
                             to->add(guest, settling);
                           },
                           [notes = notes_](const std::string& guest) { notes->note_reset(guest); },
                           [to = inbox_] { to->note_broken(); }});
    if (watch_->hears_resets())
      notes_->expect_resets();
  } catch (const hypervisor_error&) {
    inbox_->note_broken();
    throw;
  }
  inbox_->add(due_reports::everyone, 0s);
}

state_reporter::look state_reporter::look_up(const std::string& guest) const {
  const auto connection = hypervisor_.connect();
  const auto machine = find_machine(connection.get(), guest, by_mark::yes).ours;
  if (!machine)
    return {"unknown", std::string{rpc::missing_machine}};
  // Whoever resumed it: it is suspended no more.
  if (const auto turn = hypervisor_.turns().try_take(guest); turn && state_of(machine.get()) == VIR_DOMAIN_RUNNING)
    note_suspended(machine.get(), false);
  return {state_name(machine.get()), state_reason(machine.get(), *notes_)};
}

std::set<std::string> state_reporter::all_guests() const {
  auto guests = known_.all();
  const auto connection = hypervisor_.connect();
  for (const auto& domain : all_domains(connection.get()))
    guests.insert(uuid_of(domain.get()));
  return guests;
}

/// At once, because so many due reports could be all guests' again; the first one that the agent is away for ends it, and
/// all follow when it is back.
void state_reporter::report_everyone(const std::stop_token& stop) {
  for (const auto& guest : all_guests()) {
    if (stop.stop_requested())
      return;
    report(guest, stop);
    if (agent_is_away_)
      return;
  }
}

// -- the agent -------------------------------------------------------------------------------------------------------

/// Returns nothing when there is something else to do first.
std::optional<std::string> state_reporter::wait(const std::stop_token& stop) {
  std::unique_lock lock{inbox_->mutex};
  const auto seen = inbox_->due.next();
  const auto room = room_.next();
  const auto is_news = [&] { return inbox_->broken || inbox_->due.next() != seen; };
  if (seen || room)
    inbox_->wake.wait_until(lock, stop,
                            std::min(seen.value_or(due_reports::clock::time_point::max()),
                                     room.value_or(due_reports::clock::time_point::max())),
                            is_news);
  else
    inbox_->wake.wait(lock, stop, is_news);
  if (stop.stop_requested() || inbox_->broken)
    return std::nullopt;
  return inbox_->due.take(due_reports::clock::now());
}

void state_reporter::report(const std::string& guest, const std::stop_token& stop) {
  try {
    if (guest == due_reports::everyone)
      report_everyone(stop);
    else {
      std::string stored;
      const auto at = look_up(guest);
      const auto how = agent_.tell_state(guest, at.state, at.reason, &stored);
      if (how == rpc::report_result::taken)
        wait_for_room(guest, at, stored);
      settle(guest, how);
    }
  } catch (const hypervisor_error&) { // is going away, or the domain is
    inbox_->add(guest, away_pause);
  }
}

// -- room ------------------------------------------------------------------------------------------------------------

void state_reporter::wait_for_room(const std::string& guest, const look& at, const std::string& stored) {
  if (at.reason.starts_with("io-error:ENOSPC:") && goes_on(stored))
    room_.add(guest, room_watch::clock::now());
}

/// Asks the agent first: what the guest wants may have changed, and a job may be at it.
void state_reporter::go_on(const std::string& guest) {
  try {
    const auto connection = hypervisor_.connect();
    const auto machine = find_machine(connection.get(), guest, by_mark::yes).ours;
    const auto full = machine ? full_disks(machine.get()) : std::vector<std::string>{};
    if (full.empty())
      return room_.drop(guest);
    std::string stored;
    const auto at = look_up(guest);
    const auto how = has_room(machine.get(), full) ? agent_.tell_state(guest, at.state, at.reason, &stored)
                                                   : rpc::report_result::not_now;
    if (how != rpc::report_result::taken)
      return room_.wait_on(guest, room_watch::clock::now());
    if (!goes_on(stored) || !is_machine_of(stored, machine.get()))
      return room_.drop(guest);
    if (!resume(machine.get(), guest))
      return room_.wait_on(guest, room_watch::clock::now());
    rpc::log::warning("a guest goes on: its disk has room", {{"guest", guest}, {"disk", full.front()}});
    room_.resumed(guest, room_watch::clock::now());
  } catch (const hypervisor_error&) { // is going away, or the domain is
    room_.wait_on(guest, room_watch::clock::now());
  }
}

/// Returns false if a call has the guest's turn, or if one that came meanwhile has suspended or resumed it.
bool state_reporter::resume(virDomainPtr machine, const std::string& guest) {
  const auto turn = hypervisor_.turns().try_take(guest);
  if (!turn || full_disks(machine).empty())
    return false;
  must(virDomainResume(machine));
  return true;
}

void state_reporter::settle(const std::string& guest, rpc::report_result how) {
  known_.note(guest, how);
  if (how == rpc::report_result::not_now)
    inbox_->add(guest, busy_pause);
  if (how == rpc::report_result::away) {
    const std::lock_guard lock{inbox_->mutex};
    inbox_->due.add(guest, due_reports::clock::now());
    inbox_->due.hold_until(due_reports::clock::now() + away_pause);
  } else if (agent_is_away_) { // no more
    inbox_->add(due_reports::everyone, 0s);
  }
  agent_is_away_ = how == rpc::report_result::away;
}

} // namespace mistify::agents
