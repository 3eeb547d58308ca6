#include "actors/service/service.hpp"

#include <chrono>
#include <utility>

namespace mistify::actors {

namespace {

using namespace std::chrono_literals;
using rpc::errc;
using rpc::failure;
using self_pointer = inspectable_pointer<service_actor, service_state>;

constexpr auto never = caf::actor_clock::time_point::max();

service_actor handle_of(self_pointer self) {
  return caf::actor_cast<service_actor>(self);
}

/// Notes what has its place; returns the number that ends it.
std::uint64_t note_flying(self_pointer self, std::string method, std::string guest, std::string job = {}) {
  auto& state = self->state;
  state.flying.emplace(++state.last_number, service_state::in_flight{std::move(method), std::move(guest),
                                                                     std::move(job), self->clock().now()});
  return state.last_number;
}

/// A lease whose last copy gives the place back, on any thread.
lease make_lease(self_pointer self, std::uint64_t number, place_ptr place) {
  return {static_cast<const void*>(self),
          [service = handle_of(self), number, place = std::move(place)](const void*) mutable {
            place.reset();
            caf::anon_send(service, release_slot_atom_v, number, std::string{});
          }};
}

/// Returns the message of a failure; "" for a success and for a cancelled call, which is no fault.
std::string error_text(const rpc::outcome<rpc::json::document>& result) {
  const auto* e = std::get_if<failure>(&result);
  return e && e->code() != errc::cancelled ? e->message() : std::string{};
}

/// The sub-agent's answer goes straight to the actor that asked. The call's copy of the claim ends before that.
void start(self_pointer self, waiting_call work) {
  const auto number = note_flying(self, work.call.method, work.call.guest, work.call.job);
  auto place = std::exchange(work.call.place, nullptr);
  self->state.out->start(std::move(work.call),
                         [answer = std::move(work.answer), number, name = self->state.endpoint,
                          service = handle_of(self), measured = *self->state.measured, place = std::move(place),
                          begin = std::chrono::steady_clock::now()](rpc::outcome<rpc::json::document> result) mutable {
                           measured.called(result, std::chrono::steady_clock::now() - begin);
                           place.reset();
                           auto error = error_text(result);
                           if (auto* e = std::get_if<failure>(&result))
                             answer.deliver(e->through("service " + name));
                           else
                             answer.deliver(std::get<rpc::json::document>(std::move(result)));
                           caf::anon_send(service, release_slot_atom_v, number, std::move(error));
                         });
}

void start(self_pointer self, waiting_download work) {
  const auto number = note_flying(self, work.method, work.guest);
  work.answer.deliver(make_lease(self, number, std::move(work.claim)));
}

/// A runner that does not need the place any more drops the answer, which gives the place back.
void start(self_pointer, waiting_job work) {
  work.answer.deliver(std::move(work.request.claim));
}

// -- what waits --------------------------------------------------------------------------------------------------

place_claim& claim_of(waiting_work& work) {
  if (auto* call = std::get_if<waiting_call>(&work))
    return *call->call.place;
  if (auto* job = std::get_if<waiting_job>(&work))
    return *job->request.claim;
  return *std::get<waiting_download>(work).claim;
}

/// Answers work that does not get a place. Returns true.
template <class Work>
bool refuse(const service_state& state, const Work& work, const failure& why) {
  state.measured->not_called(why);
  work.answer.deliver(why);
  return true;
}

failure was_cancelled() {
  return {errc::cancelled, "cancelled"};
}

/// The call was not made: unlike after a time-out of the sub-agent's, a client may ask again without harm.
failure found_no_place(const service_state& state) {
  return {errc::unavailable, "timed out waiting for a free place at service " + state.endpoint};
}

/// Answers waiting work that is not needed any more; returns true if it was that.
bool drop_if_over(const service_state& state, waiting_work& work, caf::actor_clock::time_point now) {
  if (const auto* job = std::get_if<waiting_job>(&work))
    return job->request.cancel.cancelled() && refuse(state, *job, was_cancelled());
  const auto* call = std::get_if<waiting_call>(&work);
  if (!call)
    return false;
  if (call->call.cancel.cancelled())
    return refuse(state, *call, was_cancelled());
  return call->expires <= now && refuse(state, *call, found_no_place(state));
}

/// Calls whose time went by while the process was stopped wait on: the places that they wait for may be free in a moment.
void put_off(self_pointer self) {
  auto& state = self->state;
  const auto by = state.missed.look(self->clock().now());
  if (by > 0ms)
    state.line.drop_if([by](waiting_work& work) {
      if (auto* call = std::get_if<waiting_call>(&work); call && call->expires != never)
        call->expires += by;
      return false;
    });
}

/// Starts what waits, as long as places are free.
void start_waiting(self_pointer self) {
  auto& state = self->state;
  if (state.sweep_is_coming)
    put_off(self);
  const bool held = state.gate->holds_jobs();
  while (auto* next = state.line.front(held)) {
    const bool over = drop_if_over(state, *next, self->clock().now());
    if (!over && !claim_of(*next).take())
      break;
    auto work = state.line.pop(held);
    if (!over)
      std::visit([&](auto& w) { start(self, std::move(w)); }, work);
  }
  state.shown_waiting.set(state.line.size());
}

void left(self_pointer self, std::uint64_t number, const std::string& error) {
  auto& state = self->state;
  const auto ended = state.flying.extract(number);
  if (!ended || error.empty())
    return;
  const auto& what = ended.mapped();
  const auto now = self->clock().now();
  state.past.note_error(now, what.method + ": " + error + ", after " + in_words(now - what.since), what.job);
}

void ask_for_sweep(self_pointer self) {
  if (std::exchange(self->state.sweep_is_coming, true))
    return;
  self->state.missed.begin(self->clock().now());
  self->delayed_send(self, service_state::sweep_interval, sweep_atom_v);
}

void sweep(self_pointer self) {
  auto& state = self->state;
  state.sweep_is_coming = false;
  put_off(self);
  const auto now = self->clock().now();
  state.line.drop_if([&](waiting_work& work) { return drop_if_over(state, work, now); });
  state.shown_waiting.set(state.line.size());
  if (!state.line.empty())
    ask_for_sweep(self);
}

void put_in_line(service_state& state, waiting_work work) {
  if (auto* job = std::get_if<waiting_job>(&work))
    state.line.push_job(job->request.accepted, std::move(work));
  else
    state.line.push(std::move(work));
}

/// Starts the work if its claim holds a place, else keeps it until its turn.
template <class Work>
void admit(self_pointer self, Work work) {
  auto& state = self->state;
  waiting_work any{std::move(work)};
  if (claim_of(any).holds())
    return start(self, std::get<Work>(std::move(any)));
  if (state.line.size() >= state.max_waiting) {
    refuse(state, std::get<Work>(any), {errc::queue_full, "too many calls wait for service " + state.endpoint});
    return;
  }
  put_in_line(state, std::move(any));
  start_waiting(self);
  if (!state.line.empty())
    ask_for_sweep(self);
}

void admit_call(self_pointer self, service_call call, const reply<rpc::json::document>& answer) {
  auto& state = self->state;
  if (call.place || call.own_place)
    return start(self, waiting_call{std::move(call), answer, never});
  if (call.background) {
    call.place = state.gate->claim_spare();
    if (!call.place)
      return answer.deliver(failure{errc::queue_full, "service " + state.endpoint + " has no place to spare"});
    return start(self, waiting_call{std::move(call), answer, never});
  }
  const auto expires = call.may_expire && call.timeout > 0ms ? self->clock().now() + call.timeout : never;
  call.place = state.gate->claim();
  admit(self, waiting_call{std::move(call), answer, expires});
}

void admit_stream(self_pointer self, waiting_download work, bool may_wait) {
  if (may_wait || work.claim->holds())
    return admit(self, std::move(work));
  refuse(self->state, work, {errc::queue_full, "service " + self->state.endpoint + " has no free place"});
}

actor_status::waiting shown(const waiting_work& work) {
  if (const auto* call = std::get_if<waiting_call>(&work))
    return {call->call.job, call->call.method};
  if (const auto* job = std::get_if<waiting_job>(&work))
    return {job->request.job, job->request.method};
  return {{}, std::get<waiting_download>(work).method};
}

} // namespace

void service_state::tell(actor_status& to, bool in_full) const {
  const auto now = self->clock().now();
  to.throttles.push_back({"calls", gate->held(), gate->width(), line.size(), max_waiting});
  to.calls_out = flying.size();
  for (const auto& [number, what] : flying) {
    if (!in_full && to.calls.size() == most_told)
      break;
    to.calls.push_back({endpoint, what.method, what.guest, what.job, now - what.since});
  }
  to.queued = line.size();
  line.visit([&](const waiting_work& work) {
    to.queue.push_back(shown(work));
    return to.queue.size() < (in_full ? most_told_in_full : most_told);
  });
  if (in_full)
    past.tell(to, now);
}

service_actor::behavior_type service_behavior(self_pointer self, std::string endpoint, std::shared_ptr<places> gate,
                                              std::size_t max_waiting, std::shared_ptr<caller> out,
                                              service_metrics measured, actor_registry* actors) {
  self->register_in(*actors, named_after::service, endpoint);
  self->state.endpoint = std::move(endpoint);
  self->state.measured = measured;
  self->state.max_waiting = max_waiting;
  self->state.shown_waiting = rpc::metrics::gauge_share{measured.waiting()};
  self->state.out = std::move(out);
  // The places outlive the actor: they must not keep it.
  gate->on_free([weak = caf::actor_addr{caf::actor_cast<caf::actor_addr>(self)}] {
    if (const auto service = caf::actor_cast<service_actor>(weak))
      caf::anon_send(service, resume_atom_v);
  });
  self->state.gate = std::move(gate);
  return {
    [=](call_atom, service_call& call) {
      const reply<rpc::json::document> answer{self};
      admit_call(self, std::move(call), answer);
      return answer.later();
    },
    [=](acquire_slot_atom, const std::string& method, const std::string& guest, bool may_wait) {
      const reply<lease> answer{self};
      admit_stream(self, waiting_download{self->state.gate->claim(), method, guest, answer}, may_wait);
      return answer.later();
    },
    [=](acquire_slot_atom, place_request& request) {
      const reply<place_ptr> answer{self};
      const auto hold = std::exchange(request.hold, {}); // ends behind this: the last of them wakes the service
      admit(self, waiting_job{std::move(request), answer});
      return answer.later();
    },
    [=](release_slot_atom, std::uint64_t number, const std::string& error) { left(self, number, error); },
    [=](resume_atom) {
      self->state.gate->woken();
      start_waiting(self);
    },
    [=](sweep_atom) { sweep(self); },
    [=](status_atom, bool in_full) { return self->status(in_full); },
  };
}

} // namespace mistify::actors
