#include "actors/service.hpp"

#include <chrono>
#include <utility>

namespace mistify::actors {

namespace {

using namespace std::chrono_literals;
using rpc::errc;
using rpc::failure;
using self_pointer = service_actor::stateful_pointer<service_state>;

constexpr auto never = caf::actor_clock::time_point::max();

/// How often waiting calls are looked through for those whose time is over; their time-outs are this exact.
constexpr auto sweep_interval = 100ms;

service_actor handle_of(self_pointer self) {
  return caf::actor_cast<service_actor>(self);
}

/// A place that comes back when the last copy of the lease goes, on whichever thread that is.
lease make_lease(self_pointer self) {
  return {static_cast<const void*>(self),
          [service = handle_of(self)](const void*) { caf::anon_send(service, left_atom_v); }};
}

/// The sub-agent's answer goes straight to whoever asked; only the free place passes through the service's mailbox.
void start(self_pointer self, waiting_call work) {
  self->state.out->start(std::move(work.call),
                         [answer = std::move(work.answer), name = self->state.endpoint, service = handle_of(self),
                          measured = *self->state.measured,
                          begin = std::chrono::steady_clock::now()](rpc::outcome<std::string> result) {
                           measured.called(result, std::chrono::steady_clock::now() - begin);
                           if (auto* e = std::get_if<failure>(&result))
                             answer.deliver(e->through("service " + name));
                           else
                             answer.deliver(std::get<std::string>(std::move(result)));
                           caf::anon_send(service, left_atom_v);
                         });
}

/// Answers a call that is not made.
void refuse(const service_state& state, const waiting_call& call, const failure& why) {
  state.measured->not_called(why);
  call.answer.deliver(why);
}

void start(self_pointer self, const reply<lease>& answer) {
  answer.deliver(make_lease(self));
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

void start_next(self_pointer self) {
  while (auto next = self->state.gate.leave()) {
    if (drop_if_over(self->state, *next, self->clock().now()))
      continue;
    std::visit([&](auto& work) { start(self, std::move(work)); }, *next);
    return;
  }
}

void ask_for_sweep(self_pointer self) {
  if (!std::exchange(self->state.sweep_is_coming, true))
    self->delayed_send(self, sweep_interval, sweep_atom_v);
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

service_actor::behavior_type service_behavior(self_pointer self, std::string endpoint, std::size_t max_pending,
                                              std::size_t max_waiting, std::shared_ptr<caller> out,
                                              service_metrics measured) {
  self->state.endpoint = std::move(endpoint);
  self->state.measured = measured;
  self->state.gate = throttle<waiting_work>{max_pending, max_waiting, measured.running(), measured.waiting()};
  self->state.out = std::move(out);
  return {
    [=](call_atom, const service_call& call) {
      const reply<std::string> answer{self};
      if (call.background) {
        if (self->state.gate.enter_if_spare())
          start(self, waiting_call{call, answer, never});
        else
          answer.deliver(failure{errc::queue_full, "service " + self->state.endpoint + " has no place to spare"});
        return answer.later();
      }
      const auto expires = call.may_expire && call.timeout > 0ms ? self->clock().now() + call.timeout : never;
      admit(self, waiting_call{call, answer, expires}, answer);
      return answer.later();
    },
    [=](place_atom) {
      const reply<lease> answer{self};
      admit(self, answer, answer);
      return answer.later();
    },
    [=](left_atom) { start_next(self); },
    [=](sweep_atom) {
      auto& state = self->state;
      state.sweep_is_coming = false;
      const auto now = self->clock().now();
      state.gate.drop_waiting_if([&](waiting_work& work) { return drop_if_over(state, work, now); });
      if (state.gate.waiting() > 0)
        ask_for_sweep(self);
    },
  };
}

} // namespace mistify::actors
