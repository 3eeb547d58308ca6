#include "rpc/agents/container/state_reporter.hpp"

#include "rpc/base/log.hpp"

#include <set>
#include <utility>

namespace mistify::agents::container {

namespace {

using namespace std::chrono_literals;

/// A change seldom comes alone, and one that a job makes is best reported once that has ended.
constexpr auto settling = 100ms;
/// For a guest of which a job runs.
constexpr auto busy_pause = 400ms;
/// For an agent, or an engine, that is not there.
constexpr auto away_pause = 1s;

const std::string loss = "guests' states are told later";

std::string action_of(const rpc::json::node& event) {
  const auto* action = event.find("Action");
  return action && action->type() == rpc::json::node::kind::string ? action->as_string("Action") : std::string{};
}

/// The guest that an event is about; "" for others' containers.
std::string guest_of(const rpc::json::node& event) {
  const auto* actor = event.find("Actor");
  const auto* attributes = actor ? actor->find("Attributes") : nullptr;
  const auto* guest = attributes ? attributes->find(guest_label) : nullptr;
  return guest && guest->type() == rpc::json::node::kind::string ? guest->as_string("guest") : std::string{};
}

} // namespace

state_reporter::state_reporter(engine& on, containers& of, guest_marks& marks, const rpc::agent_address& agent)
  : engine_{on}, containers_{of}, marks_{marks}, agent_{agent, loss}, watching_{[this](const std::stop_token& stop) {
      watch(stop);
    }},
    reporting_{[this](const std::stop_token& stop) { report_all(stop); }} {}

state_reporter::~state_reporter() {
  watching_.request_stop();
  reporting_.request_stop();
  agent_.give_up();
  wake_.notify_all();
}

void state_reporter::add(const std::string& guest, clock::duration in) {
  {
    const std::lock_guard lock{mutex_};
    due_.add(guest, clock::now() + in);
  }
  wake_.notify_all();
}

// -- the engine ------------------------------------------------------------------------------------------------------

/// One line when the trouble begins and one when it is over.
void state_reporter::note_engine(bool is_away, const std::string& reason) {
  if (std::exchange(engine_is_away_, is_away) == is_away)
    return;
  if (is_away)
    rpc::log::warning("the container engine is away: " + loss, {{"reason", reason}});
  else
    rpc::log::warning("the container engine is back");
}

void state_reporter::watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      read_events(stop);
      note_engine(true, "it ended the stream of its events");
    } catch (const std::exception& e) {
      if (!stop.stop_requested())
        note_engine(true, e.what());
    }
    containers_.known().watch(false);
    std::unique_lock lock{mutex_};
    wake_.wait_for(lock, stop, away_pause, [] { return false; });
  }
}

/// Returns, or throws, when the stream ends. Podman filters no event by a label that is named alone.
void state_reporter::read_events(const std::stop_token& stop) {
  json_lines lines{[this](const rpc::json::node& event) { take(event); }};
  engine_request request{.path = "/events?" + filter_of("type", "container")};
  request.time = 0ms;
  request.opened = [this] {
    note_engine(false, {});
    containers_.known().watch(true);
    add(rpc::due_reports::everyone, 0s); // what happened before is not in the stream
  };
  request.data = [&](std::string_view bytes) {
    lines.add(bytes);
    return true;
  };
  request.stop = [&] { return stop.stop_requested(); };
  engine_.stream(std::move(request));
}

void state_reporter::take(const rpc::json::node& event) {
  const auto guest = guest_of(event);
  if (!is_guest_id(guest))
    return;
  if (ends_a_name(action_of(event)))
    containers_.known().forget(guest);
  add(guest, settling);
}

// -- the agent -------------------------------------------------------------------------------------------------------

void state_reporter::report_all(const std::stop_token& stop) {
  while (!stop.stop_requested())
    if (const auto guest = wait(stop))
      report(*guest, stop);
}

/// Returns nothing when there is something else to do first.
std::optional<std::string> state_reporter::wait(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  const auto seen = due_.next();
  const auto is_news = [&] { return due_.next() != seen; };
  if (seen)
    wake_.wait_until(lock, stop, *seen, is_news);
  else
    wake_.wait(lock, stop, is_news);
  if (stop.stop_requested())
    return std::nullopt;
  return due_.take(clock::now());
}

void state_reporter::report(const std::string& guest, const std::stop_token& stop) {
  try {
    if (guest != rpc::due_reports::everyone) {
      const auto state = containers_.look(guest);
      settle(guest, agent_.tell_state(guest, state.name, state.reason));
    } else {
      report_everyone(stop);
    }
  } catch (const std::exception&) { // the engine is going away, or in trouble
    add(guest, away_pause);
  }
}

/// Also those whose container is gone: they were made here. At once, because so many due reports could be all guests'
/// again; the first one that the agent is away for ends it, and all follow when it is back.
void state_reporter::report_everyone(const std::stop_token& stop) {
  std::set<std::string> guests;
  for (auto& guest : marks_.all())
    guests.insert(std::move(guest));
  for (auto& guest : containers_.guests())
    guests.insert(std::move(guest));
  for (const auto& guest : guests) {
    if (stop.stop_requested())
      return;
    report(guest, stop);
    if (agent_is_away_)
      return;
  }
}

void state_reporter::settle(const std::string& guest, rpc::report_result how) {
  if (how == rpc::report_result::not_now)
    add(guest, busy_pause);
  if (how == rpc::report_result::away) {
    const std::lock_guard lock{mutex_};
    due_.add(guest, clock::now());
    due_.hold_until(clock::now() + away_pause);
  } else if (agent_is_away_) { // no more
    add(rpc::due_reports::everyone, 0s);
  }
  agent_is_away_ = how == rpc::report_result::away;
}

} // namespace mistify::agents::container
