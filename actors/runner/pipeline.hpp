#pragma once

#include "actors/config/config.hpp"
#include "rpc/base/error.hpp"
#include "rpc/model/model.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::actors {

/// One run of an action: which stage is next, what it is sent, and what its answer means. Pure logic, no I/O, no
/// threads; belongs to one actor.
class pipeline {
public:
  /// `request` is the JSON text that image and snapshot stages are sent; guest and metrics stages are built from the
  /// guest instead. Stages that change a guest are sent it as `params`. `first` is the stage to begin with, after a restart.
  pipeline(action_ptr what, std::string request, std::size_t max_retries, std::size_t first = 0);

  /// True once no stage is left (at once for a pipeline without stages).
  bool finished() const noexcept { return index_ >= action_->stages.size(); }

  const action_kind& kind() const noexcept { return *action_->kind; }
  std::size_t index() const noexcept { return index_; }

  /// The stage that is next or under way. Only before `finished`.
  const stage& current() const { return action_->stages.at(index_); }

  /// For people: "stage 1 (Libvirt.Reboot)".
  std::string label() const;

  /// The JSON object that the current stage is sent. `guest_doc`: the guest as stored now, JSON text.
  std::string params(std::string_view guest_doc) const;

  /// What an answer of the current stage led to.
  struct progress {
    std::optional<std::chrono::seconds> retry; ///< run the same stage again, so much later
    std::optional<rpc::guest> returned;        ///< replaces the stored guest
    std::string message = {};                  ///< what the sub-agent has to say to people
  };

  /// Takes the current stage's answer and moves on, unless it asks for a retry. Throws `failure{sub_agent_failed}` if
  /// the pipeline cannot go on: no guest returned where one must be, another guest than `guest_id`, too many retries,
  /// members of the wrong type.
  progress accept(std::string body, std::string_view guest_id);

  /// Moves on past the current stage without an answer.
  void skip() noexcept;

  /// Returns to the stage whose answer was accepted last: it turned out to be of no use.
  void step_back() noexcept;

  /// The last answer that was accepted, `{}` where there is no stage: the result of an info pipeline. Of a pipeline about
  /// the host: the answers of all stages, as an array.
  std::string take_result() && noexcept { return std::move(result_); }

private:
  void add_result(std::string_view body);
  std::string guest_params(std::string_view guest_doc) const;
  std::string updated(std::string_view guest_doc) const;
  bool is_update() const noexcept;

  action_ptr action_;
  std::string request_;
  std::size_t max_retries_, retries_ = 0, index_;
  std::string result_ = "{}";
};

} // namespace mistify::actors
