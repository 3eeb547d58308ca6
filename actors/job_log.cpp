#include "actors/job_log.hpp"

#include "rpc/base/log.hpp"
#include "rpc/base/thread_name.hpp"

#include <chrono>
#include <utility>

namespace mistify::actors {

namespace {

using self_pointer = inspectable_pointer<job_log_actor, job_log_state>;

/// How long a commit proves that the database is writable: frequent probes must not wear the disk out.
constexpr auto commit_stands_for = std::chrono::seconds{5};

/// The pause between two attempts of a failed recovery.
constexpr auto recovery_pause = std::chrono::seconds{1};

/// No requester gives up earlier than this; see the actor_gateway.
constexpr auto shortest_patience = std::chrono::seconds{1};

/// How long a measurement of the free space is valid.
constexpr auto measurement_stands_for = std::chrono::seconds{1};

/// A batch is committed at this size even if more requests wait: it bounds the wait of its first step. A larger group
/// gains little.
constexpr std::size_t most_steps_in_a_batch = 256;

/// Slower commits are logged: the disk has problems.
constexpr auto slow_commit = std::chrono::milliseconds{500};

void end_batch(job_log_state& state, const rpc::failure* why_not) {
  const auto waiting = std::exchange(state.waiting, {});
  for (const auto& told : waiting)
    told(why_not);
}

/// Logs one line when failures begin and one when they end, instead of one for each write.
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

/// The commit message is queued after all current messages of the mailbox: those steps join the batch.
void ask_for_commit(self_pointer self) {
  if (std::exchange(self->state.commit_is_coming, true))
    return;
  caf::anon_send(caf::actor_cast<job_log_actor>(self), commit_atom_v);
}

/// Notes that requesters may have given up requests which waited during a slow operation.
void note_wait(self_pointer self, std::chrono::steady_clock::duration took) {
  if (took < shortest_patience)
    return;
  self->state.was_slow = true;
  ask_for_commit(self); // queued after those requests
}

void commit(self_pointer self) {
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

/// Opens a batch. A failure is the response to every request that waits already: each attempt may take as long as
/// SQLite waits for another program's lock.
void begin(self_pointer self) {
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

/// False if the requester has already received a time-out for this step.
bool is_wanted(self_pointer self) {
  if (!self->state.was_slow)
    return true;
  const auto* from = dynamic_cast<const asker*>(caf::actor_cast<caf::abstract_actor*>(self->current_sender()));
  return !from || from->awaits(self->current_message_id());
}

void measure_space(self_pointer self) {
  auto& state = self->state;
  const auto now = self->clock().now();
  if (state.measured_free && *state.measured_free + measurement_stands_for > now)
    return;
  state.least_free = state.settings.least_free();
  state.free_bytes = state.least_free == 0 ? 0 : state.settings.measure_free();
  state.measured_free = now;
}

/// Refuses new work before the disk is full: running jobs must be recorded to their end, and requests that free space
/// must succeed.
void require_space(self_pointer self) {
  auto& state = self->state;
  if (!state.settings.least_free)
    return;
  measure_space(self);
  if (const auto free = state.free_bytes, least = state.least_free; free < least)
    throw rpc::failure{rpc::errc::insufficient_space, "the file system of the database has " + std::to_string(free) +
                                                        " bytes free, fewer than limits.free_space, " +
                                                        std::to_string(least)};
}

bool frees_space(std::string_view action) {
  return action.starts_with("delete") || action.starts_with("containerDelete");
}

void require_time(std::chrono::steady_clock::time_point expires) {
  if (expires < std::chrono::steady_clock::time_point::max() && expires < std::chrono::steady_clock::now())
    throw rpc::failure{rpc::errc::deadline_exceeded, "given up before it was written"};
}

/// Writes the entry of a change into the change's batch. `changed` is the change's result.
template <class T>
T audited(store::journal& in, T changed, const store::audit_ptr& entry) {
  if (entry)
    in.note(*entry);
  return changed;
}

template <class T, class Step>
caf::result<T> take(self_pointer self, Step step) {
  auto& state = self->state;
  const bool wanted = is_wanted(self);
  const reply<T> answer{self};
  try {
    if (!wanted)
      throw rpc::failure{rpc::errc::deadline_exceeded, "given up before it was written"};
    if (state.unrecovered)
      throw rpc::failure{*state.unrecovered};
    const commit_metrics::visit inside{*state.measured};
    if (!state.journal->in_batch())
      begin(self);
    if (state.waiting.empty() && !state.in_trouble)
      state.since = self->clock().now();
    ask_for_commit(self);
    state.waiting.push_back([answer, value = step(*state.journal)](const rpc::failure* why_not) mutable {
      if (why_not)
        answer.deliver(*why_not);
      else
        answer.deliver(std::move(value));
    });
  } catch (const rpc::failure& e) {
    if (e.code() == rpc::errc::storage_failed)
      note_trouble(state, &e);
    answer.deliver(e);
  } catch (const std::exception& e) {
    answer.deliver(rpc::failure{rpc::errc::internal, e.what()});
  }
  if (state.waiting.size() >= most_steps_in_a_batch)
    commit(self);
  return answer.later();
}

/// Detects a removed file even if the last commit is recent.
caf::result<bool> probe(self_pointer self) {
  auto& state = self->state;
  try {
    state.journal->require_in_place();
  } catch (const rpc::failure& e) {
    note_trouble(state, &e);
    return to_error(e);
  }
  if (!state.in_trouble && state.written && *state.written + commit_stands_for > self->clock().now())
    return true;
  return take<bool>(self, [](store::journal& j) {
    j.probe();
    return true;
  });
}

/// The steps that wait are committed before, as it needs a batch of its own.
void settle(self_pointer self) {
  auto& state = self->state;
  if (!state.settings.settle)
    return;
  commit(self);
  try {
    state.settings.settle(*state.journal);
    state.settings.settle = nullptr;
    if (std::exchange(state.unsettled, false))
      rpc::log::warning("the boot of the host is recorded");
  } catch (const rpc::failure& e) {
    if (!std::exchange(state.unsettled, true))
      rpc::log::error("the boot of the host cannot be recorded, no guest is started because of it",
                      {{"reason", e.message()}});
    self->delayed_send(self, recovery_pause, resume_atom_v);
  }
}

/// Returns true once the recovery is on disk. No step is recorded before.
bool recover(self_pointer self) {
  auto& state = self->state;
  if (!state.settings.recover) {
    settle(self);
    return true;
  }
  try {
    auto going_on = state.settings.recover(*state.journal);
    state.settings.recover = nullptr;
    state.unrecovered.reset();
    note_trouble(state, nullptr);
    if (state.settings.recovered)
      state.settings.recovered(std::move(going_on));
    settle(self);
    return true;
  } catch (const rpc::failure& e) {
    state.unrecovered = e;
    note_trouble(state, &e);
    self->delayed_send(self, recovery_pause, resume_atom_v);
    return false;
  }
}

} // namespace

void job_log_state::tell(actor_status& to, bool in_full) const {
  const auto now = self->clock().now();
  if (in_trouble || unrecovered)
    to.works_on = actor_status::work{"is refused writes by the database", now - since};
  else if (!waiting.empty())
    to.works_on = actor_status::work{"commits " + std::to_string(waiting.size()) + " steps", now - since};
  if (in_full)
    past.tell(to, now);
}

job_log_actor::behavior_type job_log(self_pointer self, std::shared_ptr<store::journal> journal,
                                     commit_metrics* measured, actor_registry* actors, job_log_settings settings) {
  rpc::name_thread("journal");
  self->register_in(*actors);
  self->state.measured = measured;
  self->state.journal = std::move(journal);
  self->state.settings = std::move(settings);
  return {
    [=](queue_atom, const store::new_job& job) {
      return take<store::queued_job>(self, [&](store::journal& j) {
        require_time(job.expires);
        if (!frees_space(job.action))
          require_space(self);
        return j.add_job(job);
      });
    },
    [=](create_atom, const rpc::guest& guest, const store::new_job& job) {
      return take<store::queued_job>(self, [&](store::journal& j) {
        require_time(job.expires);
        require_space(self);
        return j.add_guest(guest, job);
      });
    },
    [=](record_atom, const step_ptr& step) {
      return take<store::recorded_step>(self, [&](store::journal& j) { return j.record(*step); });
    },
    [=](report_atom, const std::string& guest_id, const std::string& state, const std::string& reason) {
      return take<store::reported_state>(self, [&](store::journal& j) {
        require_space(self);
        return j.report_state(guest_id, state, reason);
      });
    },
    [=](progress_atom, const std::string& job_id, const store::stage_report& report) {
      return take<rpc::job>(self, [&](store::journal& j) { return j.report_progress(job_id, report); });
    },
    [=](boot_atom, const std::string& guest_id) {
      return take<bool>(self, [&](store::journal& j) {
        j.boot_start_done(guest_id);
        return true;
      });
    },
    [=](note_atom, const std::string& guest_id, const std::string& text) {
      return take<bool>(self, [&](store::journal& j) {
        require_space(self);
        j.note_event(guest_id, text);
        return true;
      });
    },
    [=](patch_atom, const std::string& guest_id, const rpc::metadata_patch& patch, const store::audit_ptr& audit,
        const std::string& if_match) {
      return take<rpc::metadata_map>(self, [&](store::journal& j) {
        require_space(self);
        return audited(j, j.patch_guest_metadata(guest_id, patch, if_match), audit);
      });
    },
    [=](patch_atom, const rpc::metadata_patch& patch, const store::audit_ptr& audit) {
      return take<rpc::metadata_map>(self, [&](store::journal& j) {
        require_space(self);
        return audited(j, j.patch_metadata(patch), audit);
      });
    },
    [=](patch_atom, const store::maintenance& wanted, const store::audit_ptr& audit) {
      return take<store::maintenance>(self,
                                      [&](store::journal& j) { return audited(j, j.set_maintenance(wanted), audit); });
    },
    [=](token_atom, const store::token_change& change, const store::audit_ptr& audit) {
      return take<store::token>(self, [&](store::journal& j) {
        if (std::holds_alternative<store::add_token>(change))
          require_space(self);
        return audited(j, j.change_token(change), audit);
      });
    },
    [=](audit_atom, const store::audit_ptr& audit) {
      return take<bool>(self, [&](store::journal& j) {
        require_space(self);
        return audited(j, true, audit);
      });
    },
    [=](probe_atom) { return probe(self); },
    [=](restore_atom) { return recover(self); },
    [=](resume_atom) { recover(self); },
    [=](commit_atom) {
      self->state.commit_is_coming = false;
      self->state.was_slow = false;
      self->state.refusal.reset();
      commit(self);
    },
    [=](alive_atom) { return true; },
    [=](status_atom, bool in_full) { return self->status(in_full); },
  };
}

} // namespace mistify::actors
