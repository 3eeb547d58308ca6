#include "actors/host/host_watch.hpp"

#include "actors/ids.hpp"

#include <chrono>
#include <utility>

namespace mistify::actors {

namespace {

using namespace std::chrono_literals;

/// How long figures count as fresh.
constexpr auto fresh_for = 5s;

/// A request is answered with the last figures if the sub-agents take longer.
constexpr auto patience = 2s;

/// Pause between two fetches without a request; well below `host_state::oldest`.
constexpr auto interval = 30s;

} // namespace

host_actor::behavior_type host_behavior(inspectable_pointer<host_actor, host_watch> self, front_actor front,
                                        std::function<action_ptr()> find, host_state* state, actor_registry* actors) {
  self->register_in(*actors);
  return self->state.behavior(std::move(front), std::move(find), state);
}

host_actor::behavior_type host_watch::behavior(front_actor front, std::function<action_ptr()> find, host_state* state) {
  front_ = std::move(front);
  find_ = std::move(find);
  state_ = state;
  if (state_->may_admit_by_size()) // `hostInfo` may be configured later
    self_->send(self_, resume_atom_v);
  return {
    [this](refresh_atom) { return refresh(); },
    [this](resume_atom) {
      fetch();
      self_->delayed_send(self_, interval, resume_atom_v);
    },
    [this](late_atom) { answer(false); },
    [this](status_atom, bool in_full) {
      actor_status out;
      tell(out, in_full);
      return out;
    },
  };
}

caf::result<bool> host_watch::refresh() {
  const auto known_for = state_->age();
  if (!find_() || (known_for && *known_for < fresh_for))
    return true;
  waiting_.emplace_back(self_);
  auto later = waiting_.back().later();
  if (waiting_.size() == 1)
    self_->delayed_send(self_, patience, late_atom_v);
  fetch();
  return later;
}

void host_watch::fetch() {
  const auto what = find_();
  if (!what || std::exchange(fetching_, true))
    return;
  since_ = self_->clock().now();
  // No deadline: each stage has its own.
  self_->request(front_, caf::infinite, info_atom_v, std::string{agent_runner}, info_request{what, "{}"})
    .then([this](const rpc::json::document& results) { fetched(results.root()); },
          [this](const caf::error& e) { failed(to_failure(e)); });
}

void host_watch::fetched(const rpc::json::node& results) {
  try {
    state_->put(rpc::decode_host_figures(results));
  } catch (const rpc::failure& e) {
    return failed(e);
  }
  fetching_ = false;
  answer(true);
}

void host_watch::failed(const rpc::failure& why) {
  fetching_ = false;
  state_->note_failure(why.message());
  history_.note_error(self_->clock().now(), why.message());
  answer(false);
}

void host_watch::answer(bool fresh) {
  for (const auto& one : std::exchange(waiting_, {}))
    one.deliver(fresh);
}

void host_watch::tell(actor_status& to, bool in_full) const {
  const auto now = self_->clock().now();
  if (fetching_)
    to.works_on = actor_status::work{"waits for the host's figures", now - since_};
  if (in_full)
    history_.tell(to, now);
}

} // namespace mistify::actors
