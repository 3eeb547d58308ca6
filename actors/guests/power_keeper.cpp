#include "actors/guests/power_keeper.hpp"

#include "actors/ids.hpp"
#include "rpc/base/log.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/power.hpp"

#include <limits>
#include <set>
#include <utility>
#include <vector>

namespace mistify::actors {

namespace {

using rpc::errc;
using rpc::failure;
using rpc::is_off;
using store::event_type;
using store::power_turn;
using self_pointer = inspectable_pointer<power_actor, power_keeper>;
using task = power_policy::task;

bool starts(std::string_view action) {
  return action == "start" || action == "containerStart";
}

bool wishes(std::string_view action) {
  const auto* kind = find_action_kind(action);
  return kind && kind->wish != power_wish::none;
}

/// The number of `job_queued`, unless the agent starts the guest by itself. The user's name would not do: an identity
/// may be called `agent`, too.
constexpr auto by_client = static_cast<std::int64_t>(store::own_start::none);

/// A container that exits is `stopped`, whatever the reason; see `container_facts`.
bool has_crashed(const rpc::guest& guest) {
  const std::string_view why = guest.state_reason;
  return guest.state == "crashed" ||
         (guest.state == "stopped" && (why.starts_with("crashed:") || why == "killed" || why == "oom"));
}

power_turn turn_of(const store::event& changed) {
  return static_cast<power_turn>(changed.number);
}

bool is_news(const store::event& what) {
  switch (what.type) {
  case event_type::guest_changed: return turn_of(what) != power_turn::none;
  case event_type::guest_deleted: return true;
  case event_type::job_queued: return what.number == by_client && wishes(what.action);
  case event_type::job_ended: return starts(what.action);
  default: return false;
  }
}

void set_timer(self_pointer self) {
  auto& state = self->state;
  const auto next = state.policy.next();
  if (!next || state.stopping || (state.set_for && *state.set_for <= *next))
    return;
  state.set_for = next;
  const auto now = self->clock().now();
  self->delayed_send(self, *next > now ? *next - now : caf::actor_clock::duration_type{0}, resume_atom_v,
                     ++state.timer);
}

/// Returns the stored guest if its `wanted` is "on"; null otherwise.
std::optional<rpc::guest> find_wanted(const power_keeper& state, const std::string& id) {
  const auto stored = state.context.guests->find(id);
  if (!stored)
    return std::nullopt;
  auto guest = rpc::decode_guest(stored->doc);
  return guest.wanted == "on" ? std::optional{std::move(guest)} : std::nullopt;
}

/// Whether the rules of a guest that is off want it back. `by_itself`: no job has brought it into its state.
bool comes_back(const rpc::guest& guest, const rpc::power_rules& rules, bool by_itself) {
  return has_crashed(guest) ? rules.restart != rpc::restart_policy::never
                            : by_itself && rules.restart == rpc::restart_policy::always;
}

void consider(self_pointer self, const std::string& id, bool by_itself) {
  auto& state = self->state;
  const auto guest = find_wanted(state, id);
  if (!guest || !is_off(guest->state))
    return;
  if (const auto rules = rpc::power_of(*guest); comes_back(*guest, rules, by_itself))
    state.policy.went_off(id, rules, self->clock().now());
}

/// A start of the agent's own has failed.
void start_failed(self_pointer self, const power_policy::ended_start& start, rpc::job_code why) {
  if (!start.by_boot || !rpc::is_retryable(why))
    return consider(self, start.guest, true);
  const auto guest = find_wanted(self->state, start.guest);
  if (guest && is_off(guest->state))
    self->state.policy.boot_start_failed(start.guest, rpc::power_of(*guest), self->clock().now());
}

void tell(self_pointer self, const std::string& guest, const std::string& text) {
  rpc::log::warning("power of a guest", {{"guest", guest}, {"message", text}});
  self->state.past.note(self->clock().now(), guest + ": " + text);
  // No deadline: the log answers, and a note that is not taken is in the log of the process.
  self->request(self->state.context.log, caf::infinite, note_atom_v, guest, text)
    .then([](bool) {}, [](const caf::error&) {});
}

/// Nothing will start the guest because of the boot any more.
void end_boot_start(self_pointer self, const std::string& guest) {
  // No deadline: the log answers. What it does not take is tried again by the next start of the agent.
  self->request(self->state.context.log, caf::infinite, boot_atom_v, guest).then([](bool) {}, [](const caf::error&) {});
}

bool is_for_now(errc code) {
  return code == errc::unavailable || code == errc::queue_full || code == errc::insufficient_space ||
         code == errc::storage_failed || code == errc::deadline_exceeded;
}

void not_queued(self_pointer self, const task& what, const failure& why) {
  auto& state = self->state;
  const auto now = self->clock().now();
  if (is_for_now(why.code())) {
    state.policy.put_off(what, now);
  } else {
    state.policy.refused(what.guest, now);
    if (what.what == task::kind::start_by_boot)
      end_boot_start(self, what.guest);
    if (why.code() != errc::not_found)
      tell(self, what.guest, "is not started: " + why.message());
  }
  set_timer(self);
}

void start(self_pointer self, const task& what) {
  auto& state = self->state;
  const auto stored = state.context.guests->find(what.guest);
  if (!stored)
    return not_queued(self, what, {errc::not_found, "not found"});
  const auto action = state.context.find_action(stored->type == "container" ? "containerStart" : "start");
  if (!action)
    return not_queued(self, what, {errc::not_configured, "start: Not configured"});
  job_request request{action, {}, {}, {}, new_uuid()};
  request.user = agents_user;
  request.own = what.what == task::kind::start_by_boot ? store::own_start::boot : store::own_start::restart;
  // No deadline: the log answers, or the runner does.
  self->request(state.context.front, caf::infinite, queue_atom_v, what.guest, std::move(request))
    .then(
      [=](const store::queued_job& job) {
        self->state.past.note(self->clock().now(), "starts " + what.guest, job.job.id);
        if (const auto ended = self->state.policy.queued(what.guest, job.job.id, self->clock().now()))
          consider(self, ended->guest, true);
        set_timer(self);
      },
      [=](const caf::error& e) { not_queued(self, what, to_failure(e)); });
}

void perform(self_pointer self, const task& what) {
  switch (what.what) {
  case task::kind::tell: return tell(self, what.guest, what.text);
  case task::kind::look: return consider(self, what.guest, true);
  case task::kind::start_by_boot: return start(self, what);
  case task::kind::restart: {
    const auto guest = find_wanted(self->state, what.guest);
    // Its rules may have changed during the pause.
    if (guest && is_off(guest->state) && (what.owed || comes_back(*guest, rpc::power_of(*guest), true)))
      return start(self, what);
    return self->state.policy.drop_restart(what.guest);
  }
  }
}

void work(self_pointer self) {
  self->state.set_for.reset();
  if (self->state.stopping)
    return;
  for (const auto& what : self->state.policy.due(self->clock().now()))
    perform(self, what);
  set_timer(self);
}

void hear(self_pointer self, const store::event& what) {
  auto& policy = self->state.policy;
  const auto now = self->clock().now();
  switch (what.type) {
  case event_type::guest_changed:
    if (turn_of(what) == power_turn::came_on)
      policy.came_on(what.guest, now);
    else if (turn_of(what) == power_turn::went_off)
      consider(self, what.guest, what.job.empty());
    return;
  case event_type::guest_deleted: return policy.forget(what.guest, now);
  case event_type::job_queued: return policy.wished_by_client(what.guest, now);
  case event_type::job_ended:
    if (const auto start = policy.ended(what.job, now);
        start && static_cast<rpc::job_status>(what.number) == rpc::job_status::error)
      start_failed(self, *start, rpc::job_code_from(what.reason).value_or(rpc::job_code::failed));
    return;
  default: return;
  }
}

/// What happened while no keeper looked: guests that are off, and should not be. A pause that was cut short begins anew.
void begin(self_pointer self, const boot_plan& plan) {
  auto& state = self->state;
  std::vector<power_policy::boot_start> starts;
  std::set<std::string_view> booting;
  for (const auto& [id, job] : plan.starts)
    if (const auto stored = state.context.guests->find(id)) {
      const auto rules = rpc::power_of(rpc::decode_guest(stored->doc));
      starts.push_back({id, rules.order, rules.delay, job});
      booting.insert(id);
    } else {
      end_boot_start(self, id);
    }
  state.policy.booted(std::move(starts), self->clock().now());
  for (const auto& one : state.context.guests->all())
    if (is_off(one->facts.state) && !booting.contains(one->id))
      consider(self, one->id, true);
  set_timer(self);
}

} // namespace

void power_keeper::tell(actor_status& to, bool in_full) const {
  to.queued = policy.waiting();
  if (in_full)
    past.tell(to, self->clock().now());
}

power_actor::behavior_type power_behavior(self_pointer self, power_context context, actor_registry* actors) {
  self->register_in(*actors);
  self->state.context = std::move(context);
  return {
    [=](boot_atom, const boot_plan& plan) { begin(self, plan); },
    [=](report_atom, const power_news& news) {
      for (const auto& one : news.events)
        hear(self, *one);
      set_timer(self);
    },
    [=](resume_atom, std::uint64_t timer) {
      if (timer == self->state.timer)
        work(self);
    },
    [=](drain_atom) { self->state.stopping = true; },
    [=](status_atom, bool in_full) { return self->status(in_full); },
  };
}

store::event_feed::listener send_power_news(store::event_feed& from, const power_actor& to) {
  return from.listen([&from, to, seen = from.last()]() mutable {
    power_news news;
    // Never null: the feed keeps all events of the last commit.
    const auto recent =
      from.after(seen, std::numeric_limits<std::size_t>::max()).value_or(std::vector<store::event_ptr>{});
    seen = from.last();
    for (const auto& one : recent)
      if (is_news(*one))
        news.events.push_back(one);
    if (!news.events.empty())
      caf::anon_send(to, report_atom_v, std::move(news));
  });
}

} // namespace mistify::actors
