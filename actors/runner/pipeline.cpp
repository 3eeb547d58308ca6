#include "actors/runner/pipeline.hpp"

#include "actors/config/waiting_actions.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/merge_patch.hpp"
#include "store/guest_wish.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace mistify::actors {

namespace {

using rpc::errc;
using rpc::failure;

/// For an answer that comes right at the end of the stage's time.
constexpr std::chrono::seconds answer_grace{5};

/// A sub-agent that asks for a longer pause than this has a fault; it is called again after a day all the same.
constexpr std::uint64_t longest_pause_seconds = 24 * 3600;

/// "cpuMetrics", "containerCpuMetrics" → "cpu".
std::string metrics_type(std::string_view action) {
  if (constexpr std::string_view prefix = "container"; action.starts_with(prefix))
    action.remove_prefix(prefix.size());
  std::string type{action.substr(0, action.find("Metrics"))};
  if (!type.empty())
    type.front() = rpc::text::lower(type.front());
  return type;
}

/// An id in other letters' case is the same one (RFC 9562, section 4), and is kept as it is stored.
void check_guest(std::optional<rpc::guest>& returned, std::string_view guest_id) {
  constexpr std::size_t longest_told = 100;
  if (!returned)
    throw failure{errc::sub_agent_failed, "the sub-agent returned no guest"};
  if (!rpc::text::equal_ignoring_case(returned->id, guest_id))
    throw failure{errc::sub_agent_failed,
                  "the sub-agent returned another guest: \"" + rpc::cut_text(returned->id, longest_told) + '"'};
  returned->id = guest_id;
}

std::optional<std::chrono::seconds> seconds_in(const rpc::metadata_map& args) {
  const auto seconds = wait_seconds(args);
  return seconds ? std::optional{std::chrono::seconds{*seconds}} : std::nullopt;
}

} // namespace

/// A first call that was interrupted may never have arrived, so that the next one is a first call again. Every record
/// after the stage's beginning, a retry or a report of progress, shows that it did arrive.
pipeline_place place_of(const store::unfinished_job& job) {
  const auto& stages = job.job.stages;
  const bool begun = !stages.empty() && stages.back().ended == rpc::timestamp{};
  const bool called = begun && job.job.updated_at != stages.back().started;
  return {job.stage, job.detour, job.due, called, begun};
}

std::vector<action_ptr> follow_ups(const action_kind& of, const std::function<action_ptr(std::string_view)>& find) {
  if (!takes_time(of.name))
    return {};
  const bool of_container = of.name.starts_with("container");
  std::vector<action_ptr> all{find(of_container ? "containerPoweroff" : "poweroff")};
  if (is_action(of.name, "reboot"))
    all.push_back(find(of_container ? "containerStart" : "start"));
  return all;
}

pipeline::pipeline(action_ptr what, std::string request, std::size_t max_retries, pipeline_place at,
                   std::vector<action_ptr> late)
  : action_{std::move(what)}, request_{std::move(request)}, max_retries_{max_retries}, index_{at.index},
    detour_{at.detour}, late_{std::move(late)}, due_{std::move(at.due)}, called_{at.called}, begun_{at.begun} {
  if (kind().subject == action_subject::guest && kind().effect != record_effect::changes)
    wish_ = decode_wish(request_);
  std::erase(late_, nullptr);
}

std::size_t pipeline::count() const noexcept {
  if (detour_ == 0)
    return action_->stages.size();
  auto all = detour_;
  for (const auto& one : late_)
    all += one->stages.size();
  return all;
}

/// A stage and the action that it is of.
std::pair<const action*, const stage&> pipeline::find(std::size_t index) const {
  if (detour_ == 0 || index < detour_)
    return {action_.get(), action_->stages.at(index)};
  index -= detour_;
  for (const auto& one : late_) {
    if (index < one->stages.size())
      return {one.get(), one->stages[index]};
    index -= one->stages.size();
  }
  throw failure{errc::internal, "the pipeline has no such stage"};
}

std::string pipeline::label() const {
  return "stage " + std::to_string(index_ + 1) + " (" + current().method + ')';
}

/// How long the current stage may ask to be run again; unset: as often as `limits.retries` says.
std::optional<std::chrono::seconds> pipeline::time_for_stage() const {
  if (detour_ != 0 || !takes_time(kind().name))
    return std::nullopt;
  return wish_.wait ? wish_.wait : seconds_in(current().args);
}

when_late pipeline::then() const {
  if (wish_.then)
    return *wish_.then;
  const auto found = current().args.find("then");
  return found == current().args.end() ? when_late::poweroff
                                       : when_late_from(found->second).value_or(when_late::poweroff);
}

store::stage_starts pipeline::starts(const rpc::host_time& now) {
  if (!called_ && !begun_) {
    const auto longest = time_for_stage();
    due_ = longest ? rpc::host_time{now.boot, now.since + *longest} : rpc::host_time{};
  }
  const auto& next = current();
  return {index_, next.method, next.service, count(), due_, detour_};
}

std::chrono::milliseconds pipeline::call_timeout(const rpc::host_time& now) const {
  const auto longest = current().timeout;
  if (!due_.is_set())
    return longest;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(rpc::time_until(due_, now)) + answer_grace;
  return longest.count() == 0 ? left : std::min(longest, left);
}

std::string pipeline::params(std::string_view guest_doc) const {
  const auto& args = current().args;
  switch (kind().subject) {
  case action_subject::guest: return guest_params(guest_doc);
  case action_subject::metrics: return rpc::encode_metrics_request(guest_doc, metrics_type(kind().name), args);
  case action_subject::host:
  case action_subject::image:
  case action_subject::snapshot: break;
  }
  return rpc::with_args(request_, args);
}

/// Stages of an update are sent the guest as it shall be; every stage that changes a guest the wish as well. Of other
/// wishes the stages of the follow-ups are sent nothing.
std::string pipeline::guest_params(std::string_view guest_doc) const {
  const auto at = find(index_);
  const auto as = [&](std::string_view guest, std::string_view params) {
    return rpc::encode_guest_request(guest, at.first->kind->name, at.second.args, params, called_);
  };
  if (is_update())
    return as(updated(guest_doc), request_);
  if (kind().effect == record_effect::changes)
    return as(guest_doc, request_);
  return as(guest_doc, detour_ == 0 ? params_of(wish_) : std::string{});
}

bool pipeline::is_update() const noexcept {
  return kind().effect == record_effect::changes && store::change_of(kind().name) == "update" && !request_.empty();
}

/// The other members of the wish are in the guest's record already.
std::string pipeline::updated(std::string_view guest_doc) const {
  const auto guest = rpc::json::document::parse(guest_doc), wish = rpc::json::document::parse(request_);
  return rpc::merge_patch(guest.root(), wish.root(), store::needs_stage);
}

pipeline::progress pipeline::accept(rpc::json::document answer, std::string_view guest_id, const rpc::host_time& now) {
  progress done;
  if (kind().type == action_type::async) {
    auto result = rpc::decode_stage_result(answer.root());
    if (result.retry_seconds > 0) {
      called_ = true;
      const auto pause = std::chrono::seconds{std::min(result.retry_seconds, longest_pause_seconds)};
      if (due_.is_set()) {
        const auto left = std::chrono::ceil<std::chrono::seconds>(rpc::time_until(due_, now));
        done.late = left.count() == 0;
        done.retry = std::min(pause, left);
      } else {
        if (++retries_ > max_retries_)
          throw failure{errc::sub_agent_failed,
                        "the sub-agent asked for more than " + std::to_string(max_retries_) + " retries"};
        done.retry = pause;
      }
      return done;
    }
    if (kind().subject == action_subject::guest) {
      check_guest(result.returned, guest_id);
      if (is_update()) // a sub-agent that returns what it knew before does not undo it
        result.returned = rpc::decode_guest(updated(rpc::encode(*result.returned)));
      done.returned = std::move(result.returned);
    }
    done.message = std::move(result.message);
  } else
    keep(std::move(answer));
  skip();
  return done;
}

void pipeline::keep(rpc::json::document answer) {
  if (kind().subject != action_subject::host)
    results_.clear();
  results_.push_back(std::move(answer));
}

rpc::json::document pipeline::take_result() && {
  if (kind().subject == action_subject::host && !results_.empty())
    return rpc::json::document::list(std::move(results_));
  return results_.empty() ? rpc::json::document::parse("{}") : std::move(results_.back());
}

std::string pipeline::give_up_waiting() {
  const auto longest = time_for_stage().value_or(std::chrono::seconds{0});
  const auto why = current().method + " was not done within " + std::to_string(longest.count()) + " s";
  if (then() == when_late::fail)
    throw failure{errc::sub_agent_timeout, why};
  const std::size_t needed = is_action(kind().name, "reboot") ? 2 : 1;
  if (late_.size() < needed)
    throw failure{errc::sub_agent_timeout, why + ", and what should follow is not configured"};
  detour_ = index_ + 1;
  skip();
  return why + ": powered off";
}

void pipeline::skip() noexcept {
  retries_ = 0;
  called_ = begun_ = false;
  due_ = {};
  ++index_;
}

void pipeline::step_back() noexcept {
  --index_;
}

} // namespace mistify::actors
