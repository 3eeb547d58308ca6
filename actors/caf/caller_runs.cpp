#include "actors/caf/caller_runs.hpp"

#include "rpc/net/reactor.hpp"

#include <caf/scheduler/abstract_coordinator.hpp>

#include <utility>

namespace mistify::actors {

namespace {

constexpr std::size_t messages_at_a_time = 8;

void leave_to_scheduler(caf::resumable* due) {
  dynamic_cast<caf::local_actor&>(*due).home_system().scheduler().enqueue(due);
}

/// Null where messages go to the scheduler.
thread_local due_actors* due_here = nullptr;

/// What actors take for the thread that runs them. One for all threads, which lasts: an actor keeps it until it is run again.
class caller : public caf::execution_unit {
public:
  void exec_later(caf::resumable* due) override {
    if (due_here && due_here->count < due_actors::most)
      due_here->list[due_here->count++] = due;
    else
      leave_to_scheduler(due);
  }

  /// Runs what becomes due meanwhile, too.
  void run(const due_actors& due) {
    for (std::size_t i = 0; i < due.count; ++i)
      resume(due.list[i]);
  }

private:
  /// A due actor comes with a reference, which it keeps for as long as it is due.
  void resume(caf::resumable* due) {
    if (due->resume(this, messages_at_a_time) == caf::resumable::resume_later)
      leave_to_scheduler(due);
    else
      caf::intrusive_ptr_release(due);
  }
};

caller of_any_thread;

} // namespace

void send_from_outside(caf::abstract_actor& to, caf::strong_actor_ptr from, caf::message_id id, caf::message content) {
  if (due_here) // this thread sees to it later
    return static_cast<void>(to.enqueue(std::move(from), id, std::move(content), &of_any_thread));
  if (!rpc::reactor::of_this_thread())
    return static_cast<void>(to.enqueue(std::move(from), id, std::move(content), nullptr));
  due_actors due;
  due_here = &due;
  to.enqueue(std::move(from), id, std::move(content), &of_any_thread);
  of_any_thread.run(due);
  due_here = nullptr;
}

held_actors::held_actors() noexcept {
  if (!due_here)
    due_here = &due_;
}

held_actors::~held_actors() {
  if (due_here != &due_)
    return;
  due_here = nullptr;
  for (std::size_t i = 0; i < due_.count; ++i)
    leave_to_scheduler(due_.list[i]);
}

} // namespace mistify::actors
