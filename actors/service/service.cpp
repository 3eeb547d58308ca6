#include "actors/service/service.hpp"

#include "actors/caf/reply.hpp"

#include <utility>
#include <variant>

namespace mistify::actors {

namespace {

using self_pointer = inspectable_pointer<service_actor, service_state>;

/// Delivers an outcome, on any thread.
template <class T>
service_desk::answer<T> deliver_to(reply<T> asker) {
  return [asker = std::move(asker)](rpc::outcome<T> result) {
    if (const auto* why = std::get_if<rpc::failure>(&result))
      asker.deliver(*why);
    else
      asker.deliver(std::get<T>(std::move(result)));
  };
}

/// The desk outlives the actor: it must not keep it.
void look_after(self_pointer self) {
  const auto weak = caf::actor_cast<caf::actor_addr>(self);
  self->state.desk->attach({[weak] {
                              if (const auto service = caf::actor_cast<service_actor>(weak))
                                caf::anon_send(service, resume_atom_v);
                            },
                            [weak] {
                              if (const auto service = caf::actor_cast<service_actor>(weak))
                                caf::anon_send(service, acquire_slot_atom_v);
                            },
                            [weak](std::string error, std::string job) {
                              if (const auto service = caf::actor_cast<service_actor>(weak))
                                caf::anon_send(service, note_atom_v, std::move(error), std::move(job));
                            }});
}

} // namespace

void service_state::tell(actor_status& to, bool in_full) const {
  desk->tell(to, in_full);
  if (in_full)
    past.tell(to, self->clock().now());
}

service_actor::behavior_type service_behavior(self_pointer self, std::shared_ptr<service_desk> desk,
                                              actor_registry* actors) {
  self->register_in(*actors, named_after::service, desk->name());
  self->state.desk = std::move(desk);
  look_after(self);
  return {
    [=](call_atom, service_call& call) {
      const reply<rpc::json::document> asker{self};
      self->state.desk->call(std::move(call), deliver_to(asker));
      return asker.later();
    },
    [=](acquire_slot_atom, std::string& method, std::string& guest, bool may_wait) {
      const reply<lease> asker{self};
      self->state.desk->lend(std::move(method), std::move(guest), may_wait, deliver_to(asker));
      return asker.later();
    },
    [=](acquire_slot_atom, place_request& request) {
      const reply<place_ptr> asker{self};
      const auto hold = std::exchange(request.hold, {}); // ends behind this: the last of them starts what waits
      self->state.desk->await_place(std::move(request), deliver_to(asker));
      return asker.later();
    },
    [=](acquire_slot_atom) { self->state.desk->start_waiting(); },
    [=](resume_atom) { self->delayed_send(self, service_desk::sweep_interval, sweep_atom_v); },
    [=](sweep_atom) {
      if (self->state.desk->sweep())
        self->delayed_send(self, service_desk::sweep_interval, sweep_atom_v);
    },
    [=](note_atom, const std::string& error, const std::string& job) {
      self->state.past.note_error(self->clock().now(), error, job);
    },
    [=](status_atom, bool in_full) { return self->status(in_full); },
  };
}

} // namespace mistify::actors
