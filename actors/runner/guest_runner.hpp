#pragma once

#include "actors/caf/reply.hpp"
#include "actors/inspect/history.hpp"
#include "actors/inspect/inspectable.hpp"
#include "actors/metrics.hpp"
#include "actors/runner/job_queue.hpp"
#include "actors/runner/pipeline.hpp"
#include "actors/runner/throttle.hpp"
#include "store/guest_index.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mistify::actors {

/// What all runners share; const once the actors run, and safe to use from any of them.
struct runner_context {
  limits limit;
  job_log_actor log;
  const store::directory* guests = nullptr;
  /// The pipeline of an action, or nullptr if it is not configured.
  std::function<action_ptr(std::string_view name)> find_action;
  /// The handle of a configured service.
  std::function<service_actor(const std::string& name)> find_service;
  runner_metrics& measured;
  roster& actors;
};

/// Everything that happens to one guest: two throttles for what is answered at once, and a queue of jobs that are run
/// one at a time, in order. Each step of a job is on disk before the next thing happens. The runner `agent` runs several
/// jobs at a time, but of one image only one, so that a slow fetch holds up nothing else.
class guest_runner {
public:
  static inline const char* name = "guest_runner";

  explicit guest_runner(runner_actor::pointer self) : self_{self}, info_{0, 0}, streams_{0, 0}, queue_{1} {}

  /// A runner that dies with jobs under way ends them, unless the agent is stopping (they wait on disk then).
  ~guest_runner();

  runner_actor::behavior_type behavior(std::string id, front_actor front,
                                       std::shared_ptr<const runner_context> context);

  /// Nothing that anybody waits for is under way.
  bool at_work() const noexcept { return !running_.empty() || !queue_.empty() || !info_.idle() || !streams_.idle(); }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return past_; }

private:
  // -- info ----------------------------------------------------------------------------------------------------
  struct info_run {
    pipeline steps;
    reply<std::string> answer;
    bool background = false;
    std::string request_id{};
    history::time since{}; ///< of the current stage's call
  };
  using info_ptr = std::shared_ptr<info_run>;

  caf::result<std::string> ask(const info_request& request);
  void begin(const info_ptr& work);
  void run(const info_ptr& work);
  void call(const info_ptr& work);
  template <class Result>
  void end(const info_ptr& work, Result&& result);

  // -- streams -------------------------------------------------------------------------------------------------
  struct stream_wish {
    action_ptr what;
    reply<stream_grant> answer;
  };
  caf::result<stream_grant> grant(const action_ptr& what);
  void grant(const stream_wish& wish);
  void stream_left(std::uint64_t number);

  // -- jobs ----------------------------------------------------------------------------------------------------
  struct queued {
    std::string job_id, request_id;
    pipeline steps;
    bool forced = false;              ///< stages that fail are passed over
    std::string key{};                ///< of which one job runs at a time: the image's id, or empty
    bool being_cancelled = false;     ///< the log is about to end it: it must not begin
    bool promised = false;            ///< it begins in the step that ends another job
    std::list<reply<bool>> waiting{}; ///< for its end
    history::time since{};            ///< of its queueing, or of the restart

    bool held() const noexcept { return being_cancelled || promised; }
  };
  struct under_way {
    explicit under_way(queued w) : work{std::move(w)} {}

    queued work;
    std::string sent_doc;                         ///< what the current stage was given
    rpc::cancellation call;                       ///< drops the call that is out
    std::optional<store::job_step> unsaved;       ///< a step that the database has not taken yet
    std::optional<std::chrono::seconds> pause;    ///< before the stage runs again, from when that is on disk
    std::optional<reply<rpc::job>> cancelled_for; ///< who asked for the end that is being saved
    std::string remarks;                          ///< the message of its end, unless it fails
    std::string skipped_because;                  ///< why the one that is over now did
    bool calling = false;                         ///< a call is out
    bool saving = false;                          ///< a step is on its way to the disk
    bool ending = false;                          ///< its end is being saved
    std::uint64_t turn = 0;                       ///< tells this wait from an earlier one
    history::time since{};                        ///< of what it waits for
    history::time began{};
  };

  template <class Atom, class... Ts>
  caf::result<store::queued_job> enqueue(job_request& request, Atom atom, Ts... values);
  std::optional<rpc::failure> too_many_jobs() const;
  std::string key_of(const job_request& request) const;
  std::optional<store::stage_starts> beginning_of(const job_request& request) const;
  void queued_up(const job_request& request, const store::queued_job& as, bool begun);
  void not_queued(bool begins);
  void append(const job_request& request, const std::string& job_id, std::size_t stage = 0);
  void restore(const runner_restore& from);

  under_way& take(const queued& next);
  void begin_next();
  void go_on_with_begun(const std::string& job_id, const std::string& guest_doc);
  std::optional<store::job_start> promise_next(const under_way& ending);
  void break_promise(const store::job_step& step);
  void advance(under_way& at, store::guest_change change);
  static void remark(under_way& at, std::string_view what);
  void save(under_way& at, store::job_step step);
  void saved(under_way& at, const store::job_step& step, const store::recorded_step& recorded);
  void not_saved(under_way& at, const store::job_step& step, const rpc::failure& why);
  void call_stage(under_way& at);
  void stage_answered(under_way& at, std::string body);
  void pause(under_way& at, std::chrono::seconds length);
  void fail(under_way& at, const rpc::failure& why);
  void finish(under_way& at, const store::job_ends* how);
  void go_on();
  void tell_end(const queued& work, job_outcome how, const rpc::job& job);
  void tell_end(const queued& work, const std::string& why);
  job_times times_of(const queued& work, const rpc::job& job) const;
  void again(std::uint64_t turn);

  // -- from outside ---------------------------------------------------------------------------------------------
  caf::result<rpc::job> cancel(const std::string& job_id);
  void cancel_queued(queued& work, const reply<rpc::job>& answer);
  void cancel_running(under_way& at, const reply<rpc::job>& answer);
  void cancelled(const std::string& job_id, bool done);
  caf::result<bool> await_end(const std::string& job_id);
  under_way* find_running(const std::string& job_id);
  queued* find_queued(const std::string& job_id);
  queued* find_job(const std::string& job_id);
  static void tell_waiting(queued& work);

  // -- for people who look inside, guest_runner_status.cpp -------------------------------------------------------
  void tell_job(actor_status& to) const;
  void tell_calls(actor_status& to) const;
  void note_end(const rpc::job& job);
  history::time now() const { return self_->clock().now(); }

  // -- end -----------------------------------------------------------------------------------------------------
  caf::result<bool> drain();
  void retire();
  void retire_if_never_stored();
  void quit_if_done();
  void tell_drained();
  void show_levels() noexcept;
  under_way* current(std::uint64_t turn);
  rpc::failure gone() const { return {rpc::errc::not_found, "not found"}; }

  runner_actor::pointer self_;
  std::string id_;
  front_actor front_;
  std::shared_ptr<const runner_context> context_;

  throttle<info_ptr> info_;
  throttle<stream_wish> streams_;
  std::list<info_ptr> asking_; ///< that have their place
  struct download_out {
    std::uint64_t number;
    const stage* of;
    history::time since;
  };
  std::list<download_out> downloads_;
  job_queue<queued> queue_;
  std::size_t being_queued_ = 0; ///< on their way through the job log
  bool beginning_ = false;       ///< the only one of them begins with that
  std::list<under_way> running_; ///< the oldest first
  std::uint64_t turns_ = 0;
  std::optional<reply<bool>> drained_;
  bool draining_ = false;
  bool retired_ = false;
  bool forgotten_ = false; ///< the front knows that it retired
  rpc::metrics::gauge_share shown_waiting_, shown_running_;
  history past_{8};
};

/// The behaviour of a runner, for `spawn`.
runner_actor::behavior_type runner_behavior(inspected_pointer<runner_actor, guest_runner> self, std::string id,
                                            front_actor front, std::shared_ptr<const runner_context> context);

} // namespace mistify::actors
