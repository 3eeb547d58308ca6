#include "actors/job_log_batch.hpp"

#include "actors/caf/caller_runs.hpp"
#include "rpc/base/log.hpp"

#include <chrono>

namespace mistify::actors {

namespace {

/// No requester gives up earlier than this; see the actor_gateway.
constexpr auto shortest_patience = std::chrono::seconds{1};

/// Slower commits are logged: the disk has problems.
constexpr auto slow_commit = std::chrono::milliseconds{500};

void end_batch(job_log_state& state, const rpc::failure* why_not) {
  const auto waiting = std::exchange(state.waiting, {});
  if (waiting.size() == 1) {
    const held_actors behind_the_client;
    return waiting.front()(why_not, true);
  }
  for (const auto& told : waiting)
    told(why_not, false);
}

/// Notes that requesters may have given up requests which waited during a slow operation.
void note_wait(job_log_pointer self, std::chrono::steady_clock::duration took) {
  if (took < shortest_patience)
    return;
  self->state.was_slow = true;
  ask_for_commit(self); // queued after those requests
}

} // namespace

void note_trouble(job_log_state& state, const rpc::failure* why_not) {
  if (std::exchange(state.in_trouble, why_not != nullptr) == (why_not != nullptr))
    return;
  state.since = state.self->clock().now();
  if (why_not) {
    rpc::log::error("the database refuses writes", {{"reason", why_not->message()}});
    state.past.note_error(state.since, "the database refuses writes: " + why_not->message());
  } else {
    rpc::log::warning("the database takes writes again");
    state.past.note(state.since, "the database takes writes again");
  }
}

void ask_for_commit(job_log_pointer self) {
  if (std::exchange(self->state.commit_is_coming, true))
    return;
  caf::anon_send(caf::actor_cast<job_log_actor>(self), commit_atom_v);
}

void commit(job_log_pointer self) {
  auto& state = self->state;
  if (!state.journal->in_batch())
    return;
  const auto begin = std::chrono::steady_clock::now();
  try {
    {
      const commit_metrics::visit inside{*state.measured};
      state.journal->commit();
    }
    state.measured->committed.add();
    const auto took = std::chrono::steady_clock::now() - begin;
    state.measured->took.observe(took);
    state.measured->steps.observe(state.waiting.size());
    if (took >= slow_commit)
      state.past.note(self->clock().now(), "a commit took " + in_words(took));
    note_wait(self, took);
    state.written = self->clock().now();
    note_trouble(state, nullptr);
    end_batch(state, nullptr);
  } catch (const rpc::failure& e) {
    state.measured->failed.add();
    note_trouble(state, &e);
    end_batch(state, &e);
  }
}

void begin_batch(job_log_pointer self) {
  auto& state = self->state;
  if (state.refusal)
    throw rpc::failure{*state.refusal};
  const auto since = std::chrono::steady_clock::now();
  try {
    state.journal->begin();
  } catch (const rpc::failure& e) {
    state.refusal = e;
    ask_for_commit(self);
    throw;
  }
  note_wait(self, std::chrono::steady_clock::now() - since);
}

bool is_wanted(job_log_pointer self) {
  if (!self->state.was_slow)
    return true;
  const auto* from = dynamic_cast<const asker*>(caf::actor_cast<caf::abstract_actor*>(self->current_sender()));
  return !from || from->awaits(self->current_message_id());
}

} // namespace mistify::actors
