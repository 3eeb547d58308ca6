#include "actors/front.hpp"

#include "actors/ids.hpp"
#include "rpc/base/log.hpp"

#include <algorithm>
#include <utility>

namespace mistify::actors {

namespace {

using rpc::errc;
using rpc::failure;
using self_pointer = inspectable_pointer<front_actor, front_state>;

runner_actor add_runner(self_pointer self, const std::string& id) {
  auto runner = self->state.make_runner(caf::actor_cast<front_actor>(self), id);
  self->monitor(runner);
  self->state.runners.insert_or_assign(id, runner);
  return runner;
}

const runner_actor* find_runner(self_pointer self, const std::string& id) {
  const auto found = self->state.runners.find(id);
  return found == self->state.runners.end() ? nullptr : &found->second;
}

/// Forwards a message; the runner responds to the original sender.
template <class T, class... Ts>
caf::result<T> forward(self_pointer self, const std::string& id, Ts... message) {
  if (const auto* runner = find_runner(self, id))
    return self->delegate(*runner, std::move(message)...);
  return to_error(failure{errc::not_found, "not found"});
}

/// A retired runner is no longer in the map; a dead runner that is still in it failed.
void runner_died(self_pointer self, const caf::actor_addr& who) {
  auto& runners = self->state.runners;
  const auto dead = std::find_if(runners.begin(), runners.end(), [&](const auto& row) { return row.second == who; });
  if (dead == runners.end() || self->state.stopping)
    return;
  rpc::log::error("the runner of a guest ended and is replaced", {{"guest", dead->first}});
  self->state.past.note_error(self->clock().now(), "the runner of " + dead->first + " ended and is replaced");
  add_runner(self, std::string{dead->first});
}

void restore(self_pointer self, const jobs_restore& from) {
  std::map<std::string, runner_restore> by_guest;
  for (const auto& job : from.jobs)
    by_guest[job.job.guest_id].jobs.push_back(job);
  for (auto& [id, work] : by_guest)
    if (const auto* runner = find_runner(self, id)) {
      work.hold = from.hold;
      self->send(*runner, restore_atom_v, std::move(work));
    }
}

void runner_drained(self_pointer self) {
  if (--self->state.draining == 0 && self->state.drained)
    std::exchange(self->state.drained, std::nullopt)->deliver(true);
}

caf::result<bool> drain(self_pointer self) {
  auto& state = self->state;
  state.stopping = true;
  state.stopping_since = self->clock().now();
  state.drained.emplace(self);
  auto later = state.drained->later();
  state.draining = state.runners.size();
  for (const auto& [id, runner] : state.runners) // no deadline: `agent_system::drain` has one for all of it
    self->request(runner, caf::infinite, drain_atom_v)
      .then([=](bool) { runner_drained(self); }, [=](const caf::error&) { runner_drained(self); });
  return later;
}

} // namespace

/// A runner that pauses is kept by CAF's clock until its time has come, and keeps the log.
front_state::~front_state() {
  for (const auto& [id, runner] : runners)
    caf::anon_send_exit(runner, caf::exit_reason::user_shutdown);
}

void front_state::tell(actor_status& to, bool in_full) const {
  const auto now = self->clock().now();
  if (draining > 0)
    to.works_on = actor_status::work{"waits for runners that finish their stage: " + std::to_string(draining),
                                     now - stopping_since};
  if (in_full)
    past.tell(to, now);
}

front_actor::behavior_type front(self_pointer self, runner_factory make_runner, const store::guest_index* guests,
                                 actor_registry* actors) {
  self->register_in(*actors);
  self->state.make_runner = std::move(make_runner);
  self->set_down_handler([=](const caf::down_msg& down) { runner_died(self, down.source); });
  add_runner(self, std::string{agent_runner});
  for (const auto& guest : guests->all())
    add_runner(self, guest->id);
  return {
    [=](info_atom, const std::string& id, info_request& request) {
      return forward<rpc::json::document>(self, id, info_atom_v, std::move(request));
    },
    [=](note_atom, const std::string& id, std::string& error) {
      if (const auto* runner = find_runner(self, id))
        self->send(*runner, note_atom_v, std::move(error));
    },
    [=](queue_atom, const std::string& id, job_request& request) -> caf::result<store::queued_job> {
      if (self->state.stopping)
        return to_error(failure{errc::unavailable, "the agent is stopping"});
      return forward<store::queued_job>(self, id, queue_atom_v, std::move(request));
    },
    [=](create_atom, const rpc::guest& guest, const job_request& request) -> caf::result<store::queued_job> {
      if (self->state.stopping)
        return to_error(failure{errc::unavailable, "the agent is stopping"});
      if (!find_runner(self, guest.id))
        add_runner(self, guest.id);
      return forward<store::queued_job>(self, guest.id, create_atom_v, guest, request);
    },
    [=](stream_atom, const std::string& id, const action_ptr& what) {
      return forward<stream_grant>(self, id, stream_atom_v, what);
    },
    [=](cancel_atom, const std::string& id, const std::string& job_id) {
      return forward<rpc::job>(self, id, cancel_atom_v, job_id);
    },
    [=](wait_atom, const std::string& id, const std::string& job_id) {
      return forward<bool>(self, id, wait_atom_v, job_id);
    },
    [=](retire_atom, const std::string& id, const runner_actor& who) {
      if (const auto* runner = find_runner(self, id); runner && *runner == who)
        self->state.runners.erase(id);
      return true;
    },
    [=](restore_atom, const jobs_restore& from) { restore(self, from); },
    [=](drain_atom) { return drain(self); },
    [=](alive_atom) { return true; },
    [=](status_atom, bool in_full) { return self->status(in_full); },
  };
}

} // namespace mistify::actors
