#include "actors/runner/guest_runner.hpp"

#include "actors/ids.hpp"

#include <algorithm>
#include <utility>

namespace mistify::actors {

using rpc::errc;
using rpc::failure;

namespace {

/// Of one guest at a time. Readers that follow a log have no end, so none waits for another.
constexpr std::size_t most_log_readers = 5;

} // namespace

runner_actor::behavior_type runner_behavior(inspectable_pointer<runner_actor, guest_runner> self, std::string id,
                                            front_actor front, std::shared_ptr<const runner_context> context) {
  self->register_in(context->actors, named_after::guest, std::move(id));
  return self->state.behavior(self->registered_name(), std::move(front), std::move(context));
}

runner_actor::behavior_type guest_runner::behavior(const std::string& called, front_actor front,
                                                   std::shared_ptr<const runner_context> context) {
  id_ = &called;
  front_ = std::move(front);
  context_ = std::move(context);
  auto& measured = context_->measured;
  if (id() == agent_runner)
    queue_ = job_queue<queued>{context_->limit().image_jobs};
  shown_waiting_ = rpc::metrics::gauge_share{measured.jobs_waiting};
  shown_running_ = rpc::metrics::gauge_share{measured.jobs_running};
  return {
    [this](info_atom, const info_request& request) { return ask(request); },
    [this](resume_atom) { begin_waiting(); },
    [this](note_atom, const std::string& error) { history_.note_error(now(), error); },
    [this](queue_atom, job_request& request) { return enqueue(request, queue_atom_v); },
    [this](create_atom, rpc::guest& guest, job_request& request) {
      return enqueue(request, create_atom_v, std::move(guest));
    },
    [this](stream_atom, const action_ptr& what) { return grant(what); },
    [this](cancel_atom, const std::string& job_id) { return cancel(job_id); },
    [this](wait_atom, const std::string& job_id) { return await_end(job_id); },
    [this](release_slot_atom, std::uint64_t number) { stream_left(number); },
    [this](resume_atom, std::uint64_t epoch) { resume(epoch); },
    [this](restore_atom, const runner_restore& from) { restore(from); },
    [this](drain_atom) { return drain(); },
    [this](status_atom, bool in_full) {
      actor_status out;
      tell(out, in_full);
      return out;
    },
  };
}

guest_runner::~guest_runner() {
  if (draining_ || retired_ || !context_)
    return;
  const auto end_job = [&](const job_entry& work) {
    store::job_ends how{rpc::job_status::error, "the runner of the guest ended"};
    caf::anon_send(context_->log, record_atom_v, share({work.job_id, store::guest_unchanged{}, how}));
    tell_end(work, how.message, rpc::job_code::failed);
  };
  for (const auto& one : running_)
    end_job(one.entry);
  for (const auto& work : queue_)
    end_job(work);
}

guest_runner::streams guest_runner::make_streams() const {
  const auto limit = context_->limit();
  auto& measured = context_->measured;
  return {{limit.stream, limit.stream_waiting, measured.streams_running, measured.streams_waiting},
          {most_log_readers, 0, measured.logs_running, measured.logs_waiting},
          {}};
}

void guest_runner::take_limits() {
  const auto limit = context_->limit();
  if (info_) {
    info_->gate->set_width(limit.info);
    begin_waiting();
  }
  if (streams_)
    streams_->downloads.resize(limit.stream, limit.stream_waiting);
  if (id() == agent_runner)
    queue_.resize(limit.image_jobs);
  if (streams_)
    while (const auto next = streams_->downloads.next())
      grant(*next);
}

// -- end ---------------------------------------------------------------------------------------------------------

caf::result<bool> guest_runner::drain() {
  draining_ = true;
  for (auto& one : running_)
    execute(one, one.run.drain());
  for (auto& work : queue_)
    work.place.reset();
  drained_ = std::make_unique<reply<bool>>(self_);
  auto later = drained_->later();
  tell_drained();
  return later;
}

/// Once no call is out and no step is on its way to the disk. A step that the disk refuses is not waited for.
void guest_runner::tell_drained() {
  const auto is_busy = [](const running_job& one) { return one.run.busy(); };
  const bool busy = beginning_ || std::any_of(running_.begin(), running_.end(), is_busy);
  if (drained_ && !busy)
    std::exchange(drained_, nullptr)->deliver(true);
}

bool guest_runner::is_being_removed() const {
  return std::ranges::any_of(running_, &running_job::removes);
}

/// To the front, which makes a new runner: it knows that this one has retired before it sees them.
void guest_runner::hand_on_creates() {
  auto held = std::exchange(held_creates_, {});
  held.reverse();
  for (auto& [guest, request, answer] : held) {
    ++handed_on_;
    const auto over = [this](const auto& deliver) {
      deliver();
      --handed_on_;
      quit_if_done();
    };
    // No deadline: the front and the new runner answer as they answer any create.
    self_->request(front_, caf::infinite, create_atom_v, std::move(guest), std::move(request))
      .then([over, answer = answer](store::queued_job& as) { over([&] { answer.deliver(std::move(as)); }); },
            [over, answer = answer](caf::error& e) { over([&] { answer.deliver(std::move(e)); }); });
  }
}

/// The record is still there.
void guest_runner::refuse_creates() {
  for (const auto& one : std::exchange(held_creates_, {}))
    one.answer.deliver(failure{errc::conflict, "the guest is being deleted"});
}

/// The guest is deleted. What still runs here is let finish; the front forgets the runner before that.
void guest_runner::retire() {
  retired_ = true;
  for (auto& work : queue_) { // the delete has ended them on disk
    tell_end(work, "guest deleted", rpc::job_code::guest_deleted);
    tell_waiting(work);
  }
  queue_.clear();
  update_gauges();
  refuse_waiting_info();
  // Until the front knows, it may hand messages on, which are still to be answered here.
  const auto forgotten = [this] {
    forgotten_ = true;
    quit_if_done();
  };
  // No deadline: the front never waits, and if it dies the agent does.
  self_->request(front_, caf::infinite, retire_atom_v, id(), caf::actor_cast<runner_actor>(self_))
    .then([=](bool) { forgotten(); }, [=](const caf::error&) { forgotten(); });
  hand_on_creates();
}

/// A create that the database refused leaves a runner without a guest.
void guest_runner::retire_if_never_stored() {
  if (!retired_ && id() != agent_runner && being_queued_ == 0 && !context_->guests->find(id()))
    retire();
  else
    quit_if_done();
}

void guest_runner::update_gauges() noexcept {
  const auto begun = static_cast<std::size_t>(
    std::ranges::count_if(running_, [](const running_job& one) { return one.began.has_value(); }));
  shown_waiting_.set(queue_.size() + running_.size() - begun);
  shown_running_.set(begun);
}

void guest_runner::quit_if_done() {
  if (forgotten_ && running_.empty() && being_queued_ == 0 && handed_on_ == 0 && info_idle() && streams_idle())
    self_->quit();
}

} // namespace mistify::actors
