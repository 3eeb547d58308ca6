#include "actors/runner/job_run.hpp"

#include "actors/runner/recovery.hpp"
#include "rpc/model/codec.hpp"

#include <utility>

namespace mistify::actors {

using namespace std::chrono_literals;
using rpc::errc;
using rpc::failure;

namespace {

/// How long a step waits before it is offered again to a database that refused it (a full disk, mostly).
constexpr auto save_pause = 1s;

constexpr std::string_view forced_past = "forced past: ";

bool ends(const store::job_step& step) {
  return std::holds_alternative<store::job_ends>(step.next);
}

bool changes_nothing(const store::guest_change& change) {
  return std::holds_alternative<store::guest_unchanged>(change);
}

/// A vector cannot be initialized with commands that are moved.
template <class... Ts>
job_run::commands list(Ts... all) {
  job_run::commands made;
  made.reserve(sizeof...(Ts));
  (made.emplace_back(std::move(all)), ...);
  return made;
}

} // namespace

job_run::job_run(job what, place_source find_place) : job_{std::move(what)}, find_place_{std::move(find_place)} {}

// -- a stage begins ----------------------------------------------------------------------------------------------

job_run::commands job_run::begin(place_ptr place) {
  if (job_.steps.finished())
    return advance(store::guest_unchanged{});
  if (!job_.interrupted.empty())
    return fail_stage({errc::sub_agent_failed, std::exchange(job_.interrupted, {})});
  return start_stage(std::move(place));
}

job_run::commands job_run::begun(std::string guest_doc, place_ptr place) {
  job_.begun = true;
  place_ = std::move(place);
  return call_stage(std::move(guest_doc));
}

job_run::commands job_run::start_stage(place_ptr claim) {
  if (!job_.needs_places)
    return save_stage(store::guest_unchanged{});
  state_ = waiting_for_place{};
  return list(await_place{std::move(claim)});
}

job_run::commands job_run::place_granted(place_ptr place) {
  place_ = std::move(place);
  return save_stage(store::guest_unchanged{});
}

job_run::commands job_run::call_stage(std::string guest_doc) {
  sent_doc_ = std::move(guest_doc);
  state_ = calling{};
  try {
    return list(call{job_.steps.params(sent_doc_), place_, job_.steps.call_timeout(job_.now())});
  } catch (const failure& e) {
    return failed(e);
  }
}

// -- a stage is over ---------------------------------------------------------------------------------------------

job_run::commands job_run::answered(rpc::json::document result) {
  try {
    auto progress = job_.steps.accept(std::move(result), job_.guest_id, job_.now());
    if (progress.late)
      return give_up_waiting();
    if (progress.retry)
      return pause(*progress.retry);
    remark(progress.message);
    if (progress.returned)
      return advance(store::guest_returned{std::move(sent_doc_), std::move(*progress.returned)});
    return advance(store::guest_unchanged{});
  } catch (const failure& e) {
    return fail_stage(e);
  }
}

/// The stage requested a retry after its deadline, or did not answer until then.
job_run::commands job_run::give_up_waiting() {
  skipped_because_ = job_.steps.give_up_waiting();
  timed_out_ = true;
  remark(skipped_because_);
  return advance(store::guest_unchanged{});
}

/// The stage is to run again later. No call is out meanwhile, and the log knows it.
job_run::commands job_run::pause(std::chrono::seconds length) {
  pause_ = length;
  spent_ = std::exchange(place_, nullptr);
  return save_rest(store::guest_unchanged{});
}

/// If the stage's time is over, a lost connection counts as a time-out: the guest may still be on.
job_run::commands job_run::failed(const failure& why) try {
  const bool is_silent = why.code() == errc::sub_agent_timeout || why.code() == errc::sub_agent_unreachable;
  return is_silent && job_.steps.is_late(job_.now()) ? give_up_waiting() : fail_stage(why);
} catch (const failure& e) { // nothing follows
  return fail_stage(e);
}

job_run::commands job_run::fail_stage(const failure& why) {
  if (!job_.forced)
    return save_end(change_when_failed(job_.steps.kind()),
                    {rpc::job_status::error, why.message(), rpc::code_of(why.code())});
  const bool is_first = remarks_.find(forced_past) == std::string::npos;
  remark((is_first ? std::string{forced_past} : std::string{}) + why.message());
  skipped_because_ = why.message();
  job_.steps.skip();
  return advance(store::guest_unchanged{});
}

/// On to the next stage, or to the end of the job. Without a free place what the stage did is saved first.
job_run::commands job_run::advance(store::guest_change change) {
  if (job_.steps.finished()) {
    if (job_.steps.kind().effect == record_effect::deletes)
      change = store::guest_removed{};
    return save_end(std::move(change), {rpc::job_status::complete, remarks_});
  }
  if (!draining_ && (!job_.needs_places || find_place()))
    return save_stage(std::move(change));
  if (place_)
    spent_ = std::exchange(place_, nullptr);
  return save_rest(std::move(change));
}

bool job_run::find_place() {
  auto next = find_place_(job_.steps.current(), place_);
  if (next != place_)
    spent_ = std::exchange(place_, std::move(next));
  return place_ != nullptr;
}

void job_run::remark(std::string_view what) {
  if (!what.empty())
    remarks_.append(remarks_.empty() ? "" : "; ").append(what);
}

// -- steps -------------------------------------------------------------------------------------------------------

job_run::commands job_run::save_stage(store::guest_change change) {
  state_ = saving{};
  return list(save{step_to(job_.steps.starts(job_.now()), std::move(change)), std::exchange(spent_, nullptr)});
}

job_run::commands job_run::save_rest(store::guest_change change) {
  state_ = saving{};
  return list(save{step_to(job_.steps.paused(), std::move(change)), std::exchange(spent_, nullptr)});
}

job_run::commands job_run::save_end(store::guest_change change, store::job_ends how) {
  state_ = ending{};
  return list(save{step_to(std::move(how), std::move(change)), std::exchange(place_, nullptr)});
}

template <class Next>
store::job_step job_run::step_to(Next next, store::guest_change change) {
  return {job_.id,         std::move(change),
          std::move(next), std::exchange(skipped_because_, {}),
          std::nullopt,    std::exchange(timed_out_, false)};
}

job_run::commands job_run::recorded(const store::job_step& step, const store::recorded_step& as) {
  if (const auto* how = std::get_if<store::job_ends>(&step.next)) {
    state_ = over{};
    return list(finish{*how});
  }
  const bool starts = std::holds_alternative<store::stage_starts>(step.next);
  job_.begun = job_.begun || starts;
  if (cancelled_)
    return save_cancelled(store::guest_unchanged{});
  return starts ? call_stage(as.guest_doc) : rest();
}

/// No stage is under way, and the log knows it.
job_run::commands job_run::rest() {
  const auto length = std::exchange(pause_, std::nullopt);
  if (draining_) {
    state_ = parked{};
    return {};
  }
  if (!length)
    return start_stage(nullptr);
  state_ = pausing{};
  return list(wait{*length});
}

job_run::commands job_run::refused(const store::job_step& step, const failure& why) {
  if (why.code() == errc::storage_failed)
    return block(step);
  if (why.code() == errc::sub_agent_failed || why.code() == errc::sub_agent_conflict) {
    job_.steps.step_back();
    return cancelled_ ? save_cancelled(store::guest_unchanged{}) : failed(why);
  }
  place_.reset();
  state_ = over{};
  return list(finish{});
}

/// What a sub-agent did must not be forgotten, so the step is kept. A stage that was to begin gives its place back and
/// looks for another one later: others can use it meanwhile.
job_run::commands job_run::block(store::job_step step) {
  step.then.reset();
  if (cancelled_ && !ends(step)) {
    settle_failure(step.change);
    step.next = cancelled_end();
  } else if (const auto* starts = std::get_if<store::stage_starts>(&step.next)) {
    step.next = store::stage_paused{starts->index, starts->detour};
  }
  place_.reset();
  state_ = blocked{std::move(step)};
  return list(wait{save_pause});
}

job_run::commands job_run::resumed() {
  if (is<pausing>())
    return start_stage(nullptr);
  if (!is<blocked>())
    return {};
  auto step = std::move(std::get<blocked>(state_).step);
  if (ends(step))
    state_ = ending{};
  else
    state_ = saving{};
  return list(save{std::move(step)});
}

// -- from outside ------------------------------------------------------------------------------------------------

std::optional<job_run::commands> job_run::cancel() {
  const bool ends_already = is<ending>() || is<over>() || (is<blocked>() && ends(std::get<blocked>(state_).step));
  if (std::exchange(cancelled_, cancelled_ || !ends_already) || ends_already)
    return std::nullopt;
  if (is<saving>())
    return commands{};
  if (auto* held_up = std::get_if<blocked>(&state_))
    return save_cancelled(std::move(held_up->step.change));
  const bool is_out = is<calling>() || is<waiting_for_place>();
  auto all = save_cancelled(store::guest_unchanged{});
  if (is_out)
    all.emplace(all.begin(), drop{});
  return all;
}

/// A change that the database has not taken yet is saved with the end: the sub-agent did it.
job_run::commands job_run::save_cancelled(store::guest_change change) {
  settle_failure(change);
  return save_end(std::move(change), cancelled_end());
}

/// What was done to a guest that stays is not undone; an adoption leaves no guest, however far it was.
void job_run::settle_failure(store::guest_change& change) const {
  const auto& kind = job_.steps.kind();
  if (changes_nothing(change) || kind.effect == record_effect::adopts)
    change = change_when_failed(kind);
}

store::job_ends job_run::cancelled_end() const {
  return {rpc::job_status::error, job_.begun ? "cancelled in " + job_.steps.label() : "cancelled",
          rpc::job_code::cancelled};
}

job_run::commands job_run::ended() {
  const bool is_out = is<calling>() || is<waiting_for_place>();
  place_.reset();
  spent_.reset();
  state_ = over{};
  return is_out ? list(drop{}, finish{}) : list(finish{});
}

job_run::commands job_run::drain() {
  draining_ = true;
  const bool waits = is<waiting_for_place>();
  if (waits || is<pausing>())
    state_ = parked{};
  return waits ? list(drop{}) : commands{};
}

} // namespace mistify::actors
