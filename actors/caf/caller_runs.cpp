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

/// What actors take for the thread that runs them. There is one for all threads: an actor keeps its address until it is run
/// again.
class outside_thread : public caf::execution_unit {
public:
  void exec_later(caf::resumable* due) override {
    if (due_here && due_here->count < due_actors::most)
      due_here->list[due_here->count++] = due;
    else
      leave_to_scheduler(due);
  }

  /// Runs what becomes due meanwhile, too.
  void run(due_actors& due) {
    while (due.taken < due.count)
      resume(due.list[due.taken++]);
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

outside_thread outside;

/// While it lives, the thread drives no reactor: the server must not take a thread that runs actors for a free worker.
class no_reactor {
public:
  no_reactor() noexcept : driven_{rpc::reactor::drive_on_this_thread(nullptr)} {}
  ~no_reactor() { rpc::reactor::drive_on_this_thread(driven_); }
  no_reactor(const no_reactor&) = delete;
  no_reactor& operator=(const no_reactor&) = delete;

private:
  rpc::reactor* driven_;
};

} // namespace

void send_from_outside(caf::abstract_actor& to, caf::strong_actor_ptr from, caf::message_id id, caf::message content) {
  if (due_here) { // this thread runs or hands on the actor later
    to.enqueue(std::move(from), id, std::move(content), &outside);
  } else if (rpc::reactor::waits_on_this_thread()) {
    const no_reactor meanwhile;
    const held_actors rest; // those that an exception leaves go to the scheduler
    to.enqueue(std::move(from), id, std::move(content), &outside);
    outside.run(*due_here);
  } else {
    to.enqueue(std::move(from), id, std::move(content), nullptr);
  }
}

held_actors::held_actors() noexcept {
  if (!due_here)
    due_here = &due_;
}

held_actors::~held_actors() {
  if (due_here != &due_)
    return;
  due_here = nullptr;
  while (due_.taken < due_.count)
    leave_to_scheduler(due_.list[due_.taken++]);
}

} // namespace mistify::actors
