#pragma once

#include "actors/runner/pipeline.hpp"
#include "actors/service/places.hpp"
#include "store/journal.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mistify::actors {

/// The life of one running job as a state machine: events in, commands out. For each stage the job gets a place at the
/// service first, then the log records the beginning, then the call is made with that place. Pure logic, no I/O, no
/// threads; belongs to one actor.
///
/// Each event returns the commands to execute, in order. Each command but `drop` and `finish` is answered by one event;
/// an answer to a command that a later one has replaced must not be passed in.
class job_run {
public:
  /// What the job is and where it stands.
  struct job {
    std::string id, guest_id;
    pipeline steps;
    bool forced = false;                                 ///< failing stages do not end it
    bool needs_places = true;                            ///< false: its calls have places of their own
    bool begun = false;                                  ///< the log has recorded a beginning
    std::function<rpc::host_time()> now = rpc::host_now; ///< for stages that have their time
    std::string interrupted = {}; ///< why the stage that it begins with counts as failed already; empty: it does not
  };

  /// Returns a claim that holds a place at the service of `next`, or null if that takes a wait. `held` is the claim
  /// that the job or the job before it has now, may be null, and may be returned. Does not block.
  using place_source = std::function<place_ptr(const stage& next, const place_ptr& held)>;

  // -- commands ----------------------------------------------------------------------------------------------------

  /// Wait for a place at the service of the current stage, with this claim if there is one. Answer: `place_granted` or
  /// `failed`.
  struct await_place {
    place_ptr claim{};
  };
  /// Send the step to the log, then let `spent` go. Answer: `recorded` or `refused`.
  struct save {
    store::job_step step;
    place_ptr spent{};
  };
  /// Call the current stage with this request. Answer: `answered` or `failed`.
  struct call {
    std::string request;
    place_ptr place;
    std::chrono::milliseconds timeout; ///< zero: none
  };
  /// Answer: `resumed`, so much later.
  struct wait {
    std::chrono::milliseconds length;
  };
  /// Drop the call or the wait for a place that is out.
  struct drop {};
  /// The job is over. `how` is unset where the log had ended the job before.
  struct finish {
    std::optional<store::job_ends> how;
  };
  using command = std::variant<await_place, save, call, wait, drop, finish>;
  using commands = std::vector<command>;

  // -- states ------------------------------------------------------------------------------------------------------
  struct fresh {};             ///< nothing has happened
  struct waiting_for_place {}; ///< at the service of the current stage
  struct saving {};            ///< a step is on its way to the disk
  struct calling {};           ///< a call is out
  struct pausing {};           ///< before the stage runs again
  /// The database refused this step, which is offered again.
  struct blocked {
    store::job_step step;
  };
  struct ending {}; ///< the end is on its way to the disk
  struct parked {}; ///< the agent stops: the job goes on after the restart
  struct over {};
  using state = std::variant<fresh, waiting_for_place, saving, calling, pausing, blocked, ending, parked, over>;

  job_run(job what, place_source find_place);

  // -- events ------------------------------------------------------------------------------------------------------

  /// The job is next. `place`: a claim that it has already, which need not hold a place; may be null.
  commands begin(place_ptr place = nullptr);

  /// As `begin`, where the log has recorded the beginning in another step. `place` holds a place if the job needs one.
  commands begun(std::string guest_doc, place_ptr place);

  commands place_granted(place_ptr place);
  commands answered(rpc::json::document result);

  /// The call failed, or the service has no room for those that wait.
  commands failed(const rpc::failure& why);

  commands recorded(const store::job_step& step, const store::recorded_step& as);

  /// A step that the database refuses (`storage_failed`) is kept and offered again. A guest that cannot be stored as the
  /// sub-agent returned it (`sub_agent_failed`) fails the stage. Any other error means that the log has ended the job.
  commands refused(const store::job_step& step, const rpc::failure& why);

  commands resumed();

  /// Ends the job in `error`. Unset if its end is on its way already. While a step is being saved the end follows that.
  std::optional<commands> cancel();

  /// The log has ended the job beside another step.
  commands ended();

  /// No stage begins from now on.
  commands drain();

  // -- for its owner -----------------------------------------------------------------------------------------------
  const state& now() const noexcept { return state_; }
  template <class State>
  bool is() const noexcept {
    return std::holds_alternative<State>(state_);
  }

  /// A call is out, or a step is on its way: the agent must not stop now.
  bool busy() const noexcept { return is<calling>() || is<saving>() || is<ending>(); }

  bool cancelled() const noexcept { return cancelled_; }

  /// A later request raises a delete.
  void force() noexcept { job_.forced = true; }

  const job& what() const noexcept { return job_; }
  const pipeline& steps() const noexcept { return job_.steps; }

private:
  commands start_stage(place_ptr claim);
  commands advance(store::guest_change change);
  commands pause(std::chrono::seconds length);
  commands save_stage(store::guest_change change);
  commands save_rest(store::guest_change change);
  commands save_end(store::guest_change change, store::job_ends how);
  commands give_up_waiting();
  commands fail_stage(const rpc::failure& why);
  commands save_cancelled(store::guest_change change);
  void settle_failure(store::guest_change& change) const;
  commands call_stage(std::string guest_doc);
  commands rest();
  commands block(store::job_step step);
  store::job_ends cancelled_end() const;
  template <class Next>
  store::job_step step_to(Next next, store::guest_change change);
  bool find_place();
  void remark(std::string_view what);

  job job_;
  place_source find_place_;
  state state_{};
  place_ptr place_;                           ///< holds a place for the current stage; null while the job has none
  place_ptr spent_;                           ///< of the stage that is over: goes with the next step
  std::string sent_doc_;                      ///< what the current stage was given
  std::string remarks_;                       ///< the message of its end, unless it fails
  std::string skipped_because_;               ///< why the stage that is over failed, where the job goes on
  bool timed_out_ = false;                    ///< it was late
  std::optional<std::chrono::seconds> pause_; ///< before the stage runs again, once that is on disk
  bool cancelled_ = false;                    ///< its end is the next step, if it is not on its way
  bool draining_ = false;
};

} // namespace mistify::actors
