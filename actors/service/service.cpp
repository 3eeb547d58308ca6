#include "actors/service/service.hpp"

#include <chrono>
#include <utility>

namespace mistify::actors {

namespace {

using namespace std::chrono_literals;
using rpc::errc;
using rpc::failure;
using self_pointer = inspected_pointer<service_actor, service_state>;

constexpr auto never = caf::actor_clock::time_point::max();

service_actor handle_of(self_pointer self) {
  return caf::actor_cast<service_actor>(self);
}

/// Notes that it has its place; the number to say so under when it is over.
std::uint64_t note_flying(self_pointer self, std::string method, std::string guest, std::string job = {},
                          bool own_place = false) {
  auto& state = self->state;
  state.flying.emplace(++state.last_number, service_state::in_flight{std::move(method), std::move(guest),
                                                                     std::move(job), self->clock().now(), own_place});
  return state.last_number;
}

/// A place that comes back when the last copy of the lease goes, on whichever thread that is.
lease make_lease(self_pointer self, std::uint64_t number) {
  return {static_cast<const void*>(self), [service = handle_of(self), number](const void*) {
            caf::anon_send(service, left_atom_v, number, std::string{});
          }};
}

/// What people should hear of: that somebody no longer wanted the answer is no fault.
std::string error_text(const rpc::outcome<std::string>& result) {
  const auto* e = std::get_if<failure>(&result);
  return e && e->code() != errc::cancelled ? e->message() : std::string{};
}

/// The sub-agent's answer goes straight to whoever asked; only the free place passes through the service's mailbox.
void start(self_pointer self, waiting_call work) {
  const auto number = note_flying(self, work.call.method, work.call.guest, work.call.job, work.call.own_place);
  self->state.out->start(std::move(work.call),
                         [answer = std::move(work.answer), number, name = self->state.endpoint,
                          service = handle_of(self), measured = *self->state.measured,
                          begin = std::chrono::steady_clock::now()](rpc::outcome<std::string> result) {
                           measured.called(result, std::chrono::steady_clock::now() - begin);
                           auto error = error_text(result);
                           if (auto* e = std::get_if<failure>(&result))
                             answer.deliver(e->through("service " + name));
                           else
                             answer.deliver(std::get<std::string>(std::move(result)));
                           caf::anon_send(service, left_atom_v, number, std::move(error));
                         });
}

/// Answers a call that is not made.
void refuse(const service_state& state, const waiting_call& call, const failure& why) {
  state.measured->not_called(why);
  call.answer.deliver(why);
}

void start(self_pointer self, const waiting_place& work) {
  work.answer.deliver(make_lease(self, note_flying(self, work.method, work.guest)));
}

failure timed_out(const service_state& state) {
  return {errc::sub_agent_timeout, "timed out waiting for a free place at service " + state.endpoint};
}

/// Answers a waiting call that need not be made any more; true if it was one.
bool drop_if_over(const service_state& state, waiting_work& work, caf::actor_clock::time_point now) {
  auto* call = std::get_if<waiting_call>(&work);
  if (!call)
    return false;
  if (call->call.cancel.cancelled())
    refuse(state, *call, {errc::cancelled, "cancelled"});
  else if (call->expires <= now)
    refuse(state, *call, timed_out(state));
  else
    return false;
  return true;
}

/// Calls whose time went by while the process was stopped wait on: the places that they wait for may be free in a moment.
void put_off(self_pointer self) {
  auto& state = self->state;
  const auto by = state.missed.look(self->clock().now());
  if (by > 0ms)
    state.gate.drop_waiting_if([by](waiting_work& work) {
      if (auto* call = std::get_if<waiting_call>(&work); call && call->expires != never)
        call->expires += by;
      return false;
    });
}

void start_next(self_pointer self) {
  if (self->state.sweep_is_coming)
    put_off(self);
  while (auto next = self->state.gate.leave()) {
    if (drop_if_over(self->state, *next, self->clock().now()))
      continue;
    std::visit([&](auto& work) { start(self, std::move(work)); }, *next);
    return;
  }
}

void left(self_pointer self, std::uint64_t number, const std::string& error) {
  auto& state = self->state;
  const auto ended = state.flying.extract(number);
  const bool own_place = ended && ended.mapped().own_place;
  if (ended && !error.empty()) {
    const auto& what = ended.mapped();
    const auto now = self->clock().now();
    state.past.note_error(now, what.method + ": " + error + ", after " + in_words(now - what.since), what.job);
  }
  if (!own_place)
    start_next(self);
}

void ask_for_sweep(self_pointer self) {
  if (std::exchange(self->state.sweep_is_coming, true))
    return;
  self->state.missed.begin(self->clock().now());
  self->delayed_send(self, service_state::sweep_interval, sweep_atom_v);
}

template <class T>
void admit(self_pointer self, waiting_work work, const reply<T>& answer) {
  switch (self->state.gate.enter(work)) {
  case admission::runs: std::visit([&](auto& w) { start(self, std::move(w)); }, work); break;
  case admission::waits: ask_for_sweep(self); break;
  case admission::refused:
    const failure why{errc::queue_full, "too many calls wait for service " + self->state.endpoint};
    self->state.measured->not_called(why);
    answer.deliver(why);
  }
}

} // namespace

void service_state::tell(actor_status& to, bool in_full) const {
  const auto now = self->clock().now();
  to.throttles.push_back(gate.level("calls"));
  to.calls_out = flying.size();
  for (const auto& [number, what] : flying) {
    if (!in_full && to.calls.size() == most_told)
      break;
    to.calls.push_back({endpoint, what.method, what.guest, what.job, now - what.since});
  }
  to.queued = gate.waiting();
  for (const auto& work : gate.queue()) {
    if (to.queue.size() == (in_full ? most_told_in_full : most_told))
      break;
    if (const auto* call = std::get_if<waiting_call>(&work))
      to.queue.push_back({call->call.job, call->call.method});
    else
      to.queue.push_back({{}, std::get<waiting_place>(work).method});
  }
  if (in_full)
    past.tell(to, now);
}

service_actor::behavior_type service_behavior(self_pointer self, std::string endpoint, std::size_t max_pending,
                                              std::size_t max_waiting, std::shared_ptr<caller> out,
                                              service_metrics measured, roster* actors) {
  self->enrol(*actors, named_after::service, endpoint);
  self->state.endpoint = std::move(endpoint);
  self->state.measured = measured;
  self->state.gate = throttle<waiting_work>{max_pending, max_waiting, measured.running(), measured.waiting()};
  self->state.out = std::move(out);
  return {
    [=](call_atom, service_call& call) {
      const reply<std::string> answer{self};
      if (call.background) {
        if (self->state.gate.enter_if_spare())
          start(self, waiting_call{std::move(call), answer, never});
        else
          answer.deliver(failure{errc::queue_full, "service " + self->state.endpoint + " has no place to spare"});
        return answer.later();
      }
      if (call.own_place) {
        start(self, waiting_call{std::move(call), answer, never});
        return answer.later();
      }
      const auto expires = call.may_expire && call.timeout > 0ms ? self->clock().now() + call.timeout : never;
      admit(self, waiting_call{std::move(call), answer, expires}, answer);
      return answer.later();
    },
    [=](place_atom, const std::string& method, const std::string& guest) {
      const reply<lease> answer{self};
      admit(self, waiting_place{method, guest, answer}, answer);
      return answer.later();
    },
    [=](left_atom, std::uint64_t number, const std::string& error) { left(self, number, error); },
    [=](sweep_atom) {
      auto& state = self->state;
      state.sweep_is_coming = false;
      put_off(self);
      const auto now = self->clock().now();
      state.gate.drop_waiting_if([&](waiting_work& work) { return drop_if_over(state, work, now); });
      if (state.gate.waiting() > 0)
        ask_for_sweep(self);
    },
    [=](status_atom, bool in_full) { return self->status(in_full); },
  };
}

} // namespace mistify::actors
