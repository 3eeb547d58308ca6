#pragma once

#include "actors/config/config.hpp"
#include "actors/guests/guest_wish.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/host_time.hpp"
#include "rpc/model/model.hpp"
#include "store/journal.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::actors {

/// Where a pipeline stands: at the beginning, or where the log says that it was.
struct pipeline_place {
  std::size_t index = 0;
  std::size_t detour = 0;  ///< from this stage on its stages are the follow-ups'; 0: they are its own
  rpc::host_time due = {}; ///< until when the stage may ask to be run again
  bool called = false;     ///< a call of the stage has arrived before
  bool begun = false;      ///< its time runs already
};

/// The place of a job that had not ended at the last stop.
pipeline_place place_of(const store::unfinished_job& job);

/// One run of an action: which stage is next, what it is sent, and what its answer means. Pure logic, no I/O, no
/// threads; belongs to one actor.
class pipeline {
public:
  /// `request` is the JSON text that image and snapshot stages are sent, and the wish of guest actions, whose stages are
  /// built from the guest: stages that change a guest are sent it whole as `params`. `late` are the actions whose stages
  /// follow if a stage that has its time asks for more; null ones are not configured.
  pipeline(action_ptr what, std::string request, std::size_t max_retries, pipeline_place at = {},
           std::vector<action_ptr> late = {});

  /// True once no stage is left (at once for a pipeline without stages).
  bool finished() const noexcept { return index_ >= count(); }

  const action_kind& kind() const noexcept { return *action_->kind; }
  std::size_t index() const noexcept { return index_; }
  std::size_t count() const noexcept;
  const guest_wish& wish() const noexcept { return wish_; }

  /// The stage that is next or under way. Only before `finished`.
  const stage& current() const { return find(index_).second; }

  /// For people: "stage 1 (Libvirt.Reboot)".
  std::string label() const;

  /// The current stage as it begins; a stage that has its time gets it now, unless it had begun before.
  store::stage_starts starts(const rpc::host_time& now);
  /// The log has the current stage as begun like that.
  void started(const store::stage_starts& as) { due_ = as.due; }
  /// The current stage, which no call is out for.
  store::stage_paused paused() const noexcept { return {index_, detour_}; }

  /// The time-out of a call of the current stage; zero: none. If the stage has a deadline, the call ends a grace of some
  /// seconds after it at the latest, so that a sub-agent that waits itself can still answer.
  std::chrono::milliseconds call_timeout(const rpc::host_time& now) const;
  /// True if the current stage has a deadline and it has passed.
  bool is_late(const rpc::host_time& now) const { return due_.is_set() && rpc::time_until(due_, now).count() == 0; }

  /// The JSON object that the current stage is sent. `guest_doc`: the guest as stored now, JSON text.
  std::string params(std::string_view guest_doc) const;

  /// What an answer of the current stage led to.
  struct progress {
    std::optional<std::chrono::seconds> retry; ///< run the same stage again, so much later
    std::optional<rpc::guest> returned;        ///< replaces the stored guest
    std::string message = {};                  ///< what the sub-agent has to say to people
    bool late = false;                         ///< the stage requested a retry after its deadline
  };

  /// Takes the current stage's answer and moves on, unless it asks for a retry. Throws `failure{sub_agent_failed}` if
  /// the pipeline cannot go on: no guest returned where one must be, another guest than `guest_id`, too many retries,
  /// members of the wrong type.
  progress accept(rpc::json::document result, std::string_view guest_id, const rpc::host_time& now = {});

  /// After `late`: goes on with the follow-ups' stages in place of what is left. Returns what is to be told of it. Throws
  /// `failure{sub_agent_timeout}` if nothing follows.
  std::string give_up_waiting();

  /// Moves on past the current stage without an answer.
  void skip() noexcept;

  /// Returns to the stage whose answer was accepted last: it turned out to be of no use.
  void step_back() noexcept;

  /// Of an info pipeline: the last answer that was accepted, `{}` where there is no stage. Of one about the host: the
  /// answers of all stages, as an array.
  rpc::json::document take_result() &&;

private:
  void keep(rpc::json::document answer);
  std::string guest_params(std::string_view guest_doc) const;
  std::string updated(std::string_view guest_doc) const;
  bool is_update() const noexcept;
  std::pair<const action*, const stage&> find(std::size_t index) const;
  std::optional<std::chrono::seconds> time_for_stage() const;
  when_late then() const;

  action_ptr action_;
  std::string request_;
  guest_wish wish_;
  std::size_t max_retries_, retries_ = 0, index_, detour_;
  std::vector<action_ptr> late_;
  rpc::host_time due_;
  bool called_, begun_;
  std::vector<rpc::json::document> results_;
};

/// The actions that follow a shutdown or a reboot that is late: `poweroff`, and for a reboot `start` behind it.
std::vector<action_ptr> follow_ups(const action_kind& of,
                                   const std::function<action_ptr(std::string_view)>& find_action);

} // namespace mistify::actors
