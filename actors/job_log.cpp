#include "actors/job_log.hpp"

#include "actors/config/waiting_actions.hpp"
#include "actors/job_log_batch.hpp"
#include "rpc/base/log.hpp"
#include "rpc/base/thread_name.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace mistify::actors {

namespace {

/// How long a commit proves that the database is writable: frequent probes must not wear the disk out.
constexpr auto commit_stands_for = std::chrono::seconds{5};

/// The pause between two attempts of a failed recovery.
constexpr auto recovery_pause = std::chrono::seconds{1};

/// How long a measurement of the free space is valid.
constexpr auto measurement_stands_for = std::chrono::seconds{1};

void measure_space(job_log_pointer self) {
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
void require_space(job_log_pointer self) {
  auto& state = self->state;
  if (!state.settings.least_free)
    return;
  measure_space(self);
  if (const auto free = state.free_bytes, least = state.least_free; free < least)
    throw rpc::failure{rpc::errc::insufficient_space, "the file system of the database has " + std::to_string(free) +
                                                        " bytes free, fewer than limits.free_space, " +
                                                        std::to_string(least)};
}

/// True for jobs that are accepted although the disk is nearly full: they delete something, or make a guest stop
/// writing.
bool eases_space(const std::string& action) {
  constexpr std::array<std::string_view, 7> easing{"delete",    "deleteImage", "deleteSnapshot", "detachDisk",
                                                   "detachNic", "shutdown",    "poweroff"};
  return std::ranges::any_of(easing, [&](std::string_view one) { return is_action(action, one); });
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

/// Detects a removed file even if the last commit is recent.
caf::result<bool> probe(job_log_pointer self) {
  auto& state = self->state;
  try {
    state.journal->require_in_place();
  } catch (const rpc::failure& e) {
    note_trouble(state, &e);
    return to_error(e);
  }
  if (!state.in_trouble && state.written && *state.written + commit_stands_for > self->clock().now())
    return true;
  return take_step<bool>(self, [](store::journal& j) {
    j.probe();
    return true;
  });
}

/// The steps that wait are committed before, as it needs a batch of its own.
void settle(job_log_pointer self) {
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
bool recover(job_log_pointer self) {
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

job_log_actor::behavior_type job_log(job_log_pointer self, std::shared_ptr<store::journal> journal,
                                     commit_metrics* measured, actor_registry* actors, job_log_settings settings) {
  rpc::name_thread("journal");
  self->register_in(*actors);
  self->state.measured = measured;
  self->state.journal = std::move(journal);
  self->state.settings = std::move(settings);
  return {
    [=](queue_atom, const store::new_job& job, const stored_listener& behind) {
      return take_step<store::queued_job>(
        self,
        [&](store::journal& j) {
          require_time(job.expires);
          if (!eases_space(job.action))
            require_space(self);
          return j.add_job(job);
        },
        behind);
    },
    [=](create_atom, const rpc::guest& guest, const store::new_job& job, const stored_listener& behind) {
      return take_step<store::queued_job>(
        self,
        [&](store::journal& j) {
          require_time(job.expires);
          require_space(self);
          return j.add_guest(guest, job);
        },
        behind);
    },
    [=](record_atom, const step_ptr& step) {
      return take_step<store::recorded_step>(self, [&](store::journal& j) { return j.record(*step); });
    },
    [=](report_atom, const std::string& guest_id, const std::string& state, const std::string& reason,
        const std::string& if_match, const store::audit_ptr& audit) {
      return take_step<store::reported_state>(self, [&](store::journal& j) {
        auto told = j.report_state(guest_id, state, reason, if_match);
        const bool is_change = !told.before.empty();
        return audited(j, std::move(told), is_change ? audit : nullptr);
      });
    },
    [=](progress_atom, const std::string& job_id, const store::stage_report& report) {
      return take_step<rpc::job>(self, [&](store::journal& j) { return j.report_progress(job_id, report); });
    },
    [=](boot_atom, const std::string& guest_id) {
      return take_step<bool>(self, [&](store::journal& j) {
        j.boot_start_done(guest_id);
        return true;
      });
    },
    [=](note_atom, const std::string& guest_id, const std::string& text) {
      return take_step<bool>(self, [&](store::journal& j) {
        require_space(self);
        j.note_event(guest_id, text);
        return true;
      });
    },
    [=](patch_atom, const std::string& guest_id, const rpc::metadata_patch& patch, const store::audit_ptr& audit,
        const std::string& if_match) {
      return take_step<rpc::metadata_map>(self, [&](store::journal& j) {
        require_space(self);
        return audited(j, j.patch_guest_metadata(guest_id, patch, if_match), audit);
      });
    },
    [=](patch_atom, const rpc::metadata_patch& patch, const store::audit_ptr& audit) {
      return take_step<rpc::metadata_map>(self, [&](store::journal& j) {
        require_space(self);
        return audited(j, j.patch_metadata(patch), audit);
      });
    },
    [=](patch_atom, const store::maintenance& wanted, const store::audit_ptr& audit) {
      return take_step<store::maintenance>(
        self, [&](store::journal& j) { return audited(j, j.set_maintenance(wanted), audit); });
    },
    [=](token_atom, const store::token_change& change, const store::audit_ptr& audit) {
      return take_step<store::token>(self, [&](store::journal& j) {
        if (std::holds_alternative<store::add_token>(change))
          require_space(self);
        return audited(j, j.change_token(change), audit);
      });
    },
    [=](audit_atom, const store::audit_ptr& audit) {
      return take_step<bool>(self, [&](store::journal& j) {
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
