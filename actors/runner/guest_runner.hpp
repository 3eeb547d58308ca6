#pragma once

#include "actors/caf/reply.hpp"
#include "actors/inspect/history.hpp"
#include "actors/inspect/inspectable.hpp"
#include "actors/metrics.hpp"
#include "actors/runner/image_work.hpp"
#include "actors/runner/info_places.hpp"
#include "actors/runner/job_queue.hpp"
#include "actors/runner/job_run.hpp"
#include "actors/runner/pipeline.hpp"
#include "actors/runner/throttle.hpp"
#include "store/guest_index.hpp"

#include <chrono>
#include <cstdint>
#include <forward_list>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mistify::actors {

/// What all runners share; const once the actors run, and safe to use from any of them.
struct runner_context {
  /// The limits that hold now. Thread-safe.
  std::function<limits()> limit;
  job_log_actor log;
  const store::guest_index* guests = nullptr;
  /// The pipeline of an action, or nullptr if it is not configured.
  std::function<action_ptr(std::string_view name)> find_action;
  /// A configured service. Thread-safe.
  std::function<service_handle(const std::string& name)> find_service;
  runner_metrics& measured;
  info_places& info; ///< for what is answered at once; calls that pass the runners by take them too
  actor_registry& actors;
  std::function<rpc::host_time()> host_now = rpc::host_now;
};

/// Everything that happens to one guest: throttles for what is answered at once, and a queue of jobs that are run
/// one at a time, in order. Each step of a job is on disk before the next thing happens. The runner `agent` runs several
/// jobs at a time, but of one image only one, so that a slow fetch holds up nothing else.
class guest_runner {
public:
  static inline const char* name = "guest_runner";

  explicit guest_runner(runner_actor::pointer self) : self_{self}, queue_{1} {}

  /// A runner that dies with jobs under way ends them, unless the agent is stopping (they wait on disk then).
  ~guest_runner();

  /// `called`: the guest's id, or `agent`; it is the actor's, and lives as long.
  runner_actor::behavior_type behavior(const std::string& called, front_actor front,
                                       std::shared_ptr<const runner_context> context);

  /// Nothing that anybody waits for is under way.
  bool busy() const noexcept { return !running_.empty() || !queue_.empty() || !info_idle() || !streams_idle(); }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return history_; }

private:
  void take_limits(); ///< those that hold now; starts what finds a place by them

  // -- info ----------------------------------------------------------------------------------------------------
  struct info_run {
    pipeline steps;
    reply<rpc::json::document> answer;
    bool background = false;
    std::string request_id{};
    place_ptr place{};
    history::time since{}; ///< of the current stage's call
  };
  using info_ptr = std::shared_ptr<info_run>;

  caf::result<rpc::json::document> ask(const info_request& request);
  struct info_line {
    std::shared_ptr<places> gate;
    rpc::metrics::gauge_share shown_waiting;
    std::list<info_ptr> waiting{}, asking{}; ///< for their places; those that have them
  };
  info_line& info();
  void drop_idle_info();
  void refuse_waiting_info();
  void begin_waiting();
  void begin(const info_ptr& work);
  void run(const info_ptr& work);
  void call(const info_ptr& work);
  template <class Result>
  void end(const info_ptr& work, Result&& result);
  bool info_idle() const noexcept { return !info_; }
  actor_status::level info_level() const;

  // -- streams -------------------------------------------------------------------------------------------------
  struct stream_request {
    action_ptr what;
    reply<stream_grant> answer;
  };
  caf::result<stream_grant> grant(const action_ptr& what);
  void grant(const stream_request& wish);
  struct download_out {
    std::uint64_t number;
    const action_kind* kind;
    std::shared_ptr<const stage> of;
    history::time since;
  };
  struct streams {
    throttle<stream_request> downloads, logs; ///< logs: readers of the guest's log
    std::list<download_out> out;
  };
  streams make_streams() const;
  throttle<stream_request>& throttle_of(const action_kind& kind);
  bool streams_idle() const noexcept { return !streams_ || (streams_->downloads.idle() && streams_->logs.idle()); }
  void stream_left(std::uint64_t number);

  // -- jobs ----------------------------------------------------------------------------------------------------
  /// What a job is known by, from its acceptance to its end.
  struct job_entry {
    std::string job_id, request_id, user;
    std::int64_t accepted = 0; ///< its place in the order of acceptance
    const action_kind* kind = nullptr;
    std::string key{};                ///< of which one job runs at a time: the image's id, or empty
    std::string group{};              ///< of which only some jobs run at a time: the server of the image, or empty
    std::list<reply<bool>> waiting{}; ///< for its end
    history::time since{};            ///< of its queueing, or of the restart
  };
  struct queued : job_entry {
    queued(job_entry entry, pipeline stages) : job_entry{std::move(entry)}, steps{std::move(stages)} {}

    pipeline steps;
    bool forced = false;          ///< stages that fail are passed over
    bool begun = false;           ///< before the restart
    std::string interrupted{};    ///< as in `job_run::job`
    bool being_cancelled = false; ///< the log is about to end it: it must not begin
    bool promised = false;        ///< it begins in the step that ends another job
    place_ptr place{};            ///< its claim to the place of its first stage; may be null

    bool held() const noexcept { return being_cancelled || promised; }
  };
  struct running_job {
    job_entry entry;
    job_run run;
    rpc::cancellation out{};                        ///< drops the call, or the wait for a place, that is out
    std::optional<reply<rpc::job>> cancelled_for{}; ///< who asked for the end that is being saved
    std::uint64_t epoch = 0;                        ///< of the command that awaits its answer
    history::time since{};                          ///< of that command
    std::optional<history::time> began{};           ///< of its first call
    bool removes = false;                           ///< the step that removes the guest's record is on its way
  };

  template <class Atom, class... Ts>
  caf::result<store::queued_job> enqueue(job_request& request, Atom atom, Ts... values);
  caf::result<store::queued_job> hold_create(rpc::guest guest, job_request& request);
  std::optional<rpc::failure> too_many_jobs(const job_request& next) const;
  image_work image_work_of(const job_request& request) const;
  struct beginning {
    image_work about{};
    std::optional<store::stage_starts> stage{}; ///< what is recorded with the queueing; unset: nothing is
    place_ptr place{};
  };
  beginning beginning_of(const job_request& request) const;
  store::new_job new_job_of(job_request& request, const beginning& with) const; ///< takes its key, digest and tag
  void queued_up(const job_request& request, const store::queued_job& as, const beginning& with);
  void not_queued(bool begins);
  void force(const std::string& job_id);
  void preempted(const rpc::job& job);
  queued& append(const job_request& request, const image_work& about, const std::string& job_id, std::int64_t accepted,
                 const pipeline_place& at = {});
  action_ptr start_behind(const running_job& created) const; ///< null: none
  store::new_job job_behind(const running_job& created, const action& what) const;
  void restore(const runner_restore& from);

  place_ptr find_place(const stage& next, const place_ptr& held) const;
  running_job& take(queued& next);
  void begin_next();
  void go_on_with_begun(const std::string& job_id, const std::string& guest_doc);
  std::optional<store::job_start> promise_next(const job_entry& ending, const place_ptr& spent);
  queued* end_promise(const store::job_step& step);
  void note_begin(running_job& at);

  // What a run commands, and what comes of it.
  void execute(running_job& at, job_run::commands all);
  std::uint64_t begin_wait(running_job& at);
  void perform(running_job& at, job_run::await_place& what);
  void perform(running_job& at, job_run::save& what);
  void perform(running_job& at, job_run::call& what);
  void perform(running_job& at, const job_run::wait& what);
  void perform(running_job& at, const job_run::drop& what);
  void perform(running_job& at, const job_run::finish& what);
  void saved(running_job& at, const store::job_step& step, const action_ptr& behind,
             const store::recorded_step& recorded);
  void not_saved(running_job& at, const store::job_step& step, const rpc::failure& why);
  void resume(std::uint64_t epoch);

  void report_end(running_job& at, const rpc::job& job);
  void tell_end(const job_entry& work, job_outcome how, const rpc::job& job);
  void tell_end(const job_entry& work, const std::string& why, rpc::job_code code);
  job_times times_of(const job_entry& work, const rpc::job& job) const;

  // -- from outside ---------------------------------------------------------------------------------------------
  caf::result<rpc::job> cancel(const std::string& job_id);
  void cancel_queued(queued& work, const reply<rpc::job>& answer);
  void cancel_running(running_job& at, const reply<rpc::job>& answer);
  void cancelled(const std::string& job_id, bool done);
  caf::result<bool> await_end(const std::string& job_id);
  running_job* find_running(const std::string& job_id);
  queued* find_queued(const std::string& job_id);
  job_entry* find_job(const std::string& job_id);
  static void tell_waiting(job_entry& work);

  // -- for people who look inside, guest_runner_status.cpp -------------------------------------------------------
  static std::string doing(const job_run& run);
  void tell_job(actor_status& to) const;
  void tell_calls(actor_status& to) const;
  void note_end(const rpc::job& job);
  history::time now() const { return self_->clock().now(); }

  // -- end -----------------------------------------------------------------------------------------------------
  bool is_being_removed() const;
  void hand_on_creates();
  void refuse_creates();
  caf::result<bool> drain();
  void retire();
  void retire_if_never_stored();
  void quit_if_done();
  void tell_drained();
  void update_gauges() noexcept;
  const std::string& id() const noexcept { return *id_; }
  running_job* current(std::uint64_t epoch);
  rpc::failure gone() const { return {rpc::errc::not_found, "not found"}; }

  runner_actor::pointer self_;
  const std::string* id_ = nullptr;
  front_actor front_;
  std::shared_ptr<const runner_context> context_;

  std::unique_ptr<info_line> info_;  ///< null: nothing is under way, as in most runners
  std::unique_ptr<streams> streams_; ///< null before the first: there is a runner for each guest, and few have any
  job_queue<queued> queue_;
  std::uint32_t being_queued_ = 0;      ///< on their way through the job log
  std::uint32_t without_room_ = 0;      ///< of these, those that the log takes only if they need no place in the queue
  const all_jobs_hold* hold_ = nullptr; ///< while it takes over the jobs of a restart
  std::list<running_job> running_;      ///< the oldest first
  std::uint64_t epochs_ = 0;
  std::unique_ptr<reply<bool>> drained_;
  /// Of a guest whose record is being removed: the log may take the step before a create, and this runner retires then.
  struct held_create {
    rpc::guest guest;
    job_request request;
    reply<store::queued_job> answer;
  };
  std::forward_list<held_create> held_creates_; ///< the newest first
  std::uint32_t handed_on_ = 0;                 ///< creates that the front is to answer
  bool beginning_ = false;                      ///< the only one of those being queued begins with that
  bool draining_ = false;
  bool retired_ = false;
  bool forgotten_ = false; ///< the front knows that it retired
  rpc::metrics::gauge_share shown_waiting_, shown_running_;
  history history_{8};
};

/// The behaviour of a runner, for `spawn`.
runner_actor::behavior_type runner_behavior(inspectable_pointer<runner_actor, guest_runner> self, std::string id,
                                            front_actor front, std::shared_ptr<const runner_context> context);

} // namespace mistify::actors
