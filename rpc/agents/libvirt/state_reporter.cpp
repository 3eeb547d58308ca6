#include "rpc/agents/libvirt/state_reporter.hpp"

#include "rpc/agents/libvirt/states.hpp"
#include "rpc/base/log.hpp"

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

state_reporter::state_reporter(hypervisor& of, const rpc::agent_address& agent)
  : hypervisor_{of}, agent_{agent, loss}, thread_{[this](const std::stop_token& stop) { run(stop); }} {}

state_reporter::~state_reporter() {
  thread_.request_stop();
  agent_.give_up();
  thread_.join();
}

void state_reporter::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!keep_watching()) {
      std::unique_lock lock{inbox_->mutex};
      inbox_->wake.wait_for(lock, stop, away_pause, [] { return false; });
    } else if (const auto guest = wait(stop)) {
      report(*guest, stop);
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
  {
    const std::lock_guard lock{inbox_->mutex};
    inbox_->broken = false;
  }
  try {
    watch_.emplace(hypervisor_.open(), watcher{[to = inbox_](const std::string& guest) { to->add(guest, settling); },
                                               [to = inbox_] { to->note_broken(); }});
  } catch (const hypervisor_error&) {
    inbox_->note_broken();
    throw;
  }
  inbox_->add(due_reports::everyone, 0s);
}

std::string state_reporter::look_up(const std::string& guest) {
  const auto connection = hypervisor_.connect();
  const auto machine = find_machine(connection.get(), guest).ours;
  return machine ? state_name(machine.get()) : "unknown";
}

/// At once, because so many due reports could be all guests' again; the first one that the agent is away for ends it, and
/// all follow when it is back.
void state_reporter::report_everyone(const std::stop_token& stop) {
  const auto connection = hypervisor_.connect();
  for (const auto& domain : all_domains(connection.get())) {
    char uuid[VIR_UUID_STRING_BUFLEN];
    if (stop.stop_requested())
      return;
    if (virDomainGetUUIDString(domain.get(), uuid) != 0)
      continue;
    report(uuid, stop);
    if (agent_is_away_)
      return;
  }
}

// -- the agent -------------------------------------------------------------------------------------------------------

/// Returns nothing when there is something else to do first.
std::optional<std::string> state_reporter::wait(const std::stop_token& stop) {
  std::unique_lock lock{inbox_->mutex};
  const auto seen = inbox_->due.next();
  const auto is_news = [&] { return inbox_->broken || inbox_->due.next() != seen; };
  if (seen)
    inbox_->wake.wait_until(lock, stop, *seen, is_news);
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
    else
      settle(guest, agent_.tell_state(guest, look_up(guest)));
  } catch (const hypervisor_error&) { // is going away, or the domain is
    inbox_->add(guest, away_pause);
  }
}

void state_reporter::settle(const std::string& guest, rpc::report_result how) {
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
