#pragma once

#include "actors/job_log.hpp"

#include <cstddef>
#include <exception>
#include <functional>
#include <utility>

/// How the job log groups steps into batches. For job_log.cpp only.
namespace mistify::actors {

using job_log_pointer = inspectable_pointer<job_log_actor, job_log_state>;

/// A batch is committed at this size even if more requests wait: it bounds the wait of its first step. A larger group
/// gains little.
inline constexpr std::size_t most_steps_in_a_batch = 256;

/// Logs one line when failures begin and one when they end, instead of one for each write.
void note_trouble(job_log_state& state, const rpc::failure* why_not);

/// The commit message is queued after all current messages of the mailbox: those steps join the batch.
void ask_for_commit(job_log_pointer self);

/// Ends the batch if one is open, and answers whoever waits for it.
void commit(job_log_pointer self);

/// Opens a batch. A failure is the response to every request that waits already: each attempt may take as long as
/// SQLite waits for another program's lock.
void begin_batch(job_log_pointer self);

/// False if the requester has already received a time-out for this step.
bool is_wanted(job_log_pointer self);

/// Runs a step of the journal in the batch. Answers when the batch is durable, or with the failure. If the batch has no other
/// step, calls `behind` with the result after the answer is in the requester's mailbox.
template <class T, class Step>
caf::result<T> take_step(job_log_pointer self, Step step, std::function<void(const T&)> behind = nullptr) {
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
      begin_batch(self);
    if (state.waiting.empty() && !state.in_trouble)
      state.since = self->clock().now();
    ask_for_commit(self);
    state.waiting.push_back([answer, behind = std::move(behind),
                             value = step(*state.journal)](const rpc::failure* why_not, bool alone) mutable {
      if (why_not)
        return answer.deliver(*why_not);
      if (!alone || !behind)
        return answer.deliver(std::move(value));
      answer.deliver(value);
      behind(value);
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

} // namespace mistify::actors
