#include "actors/guests/metrics_lane.hpp"

#include "actors/requests.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace mistify::actors {

namespace {

using namespace std::chrono_literals;

/// Concurrent scrapes share a round.
constexpr auto shortest_round = 5s;
constexpr auto longest_round = 60s;
/// The pause before requests are repeated because their service had no free slot.
constexpr auto pause_when_busy = 100ms;

} // namespace

std::map<std::string, std::vector<metrics_question>> metrics_questions(const config& settings) {
  struct row {
    std::string_view all, containers;
    figure_kind kind;
  };
  constexpr row actions[] = {{"cpuMetrics", "containerCpuMetrics", figure_kind::cpu},
                             {"diskMetrics", "containerDiskMetrics", figure_kind::disk},
                             {"nicMetrics", "containerNicMetrics", figure_kind::nic}};
  std::map<std::string, std::vector<metrics_question>> found;
  const auto add = [&](metrics_question q) {
    if (q.what && !q.what->stages.empty())
      found[q.what->stages.front().service].push_back(std::move(q));
  };
  for (const auto& [all, containers, kind] : actions) {
    const auto own = settings.find_action(containers);
    add({kind, own, true, false});
    add({kind, settings.find_action(all), own == nullptr, true});
  }
  return found;
}

void metrics_lane::begin(time now, std::vector<store::guest_ptr> guests, std::vector<metrics_question> questions,
                         std::size_t width) {
  guests_ = std::move(guests);
  questions_ = std::move(questions);
  const auto first =
    std::find_if(guests_.begin(), guests_.end(), [&](const auto& guest) { return guest->id >= begin_at_; });
  std::rotate(guests_.begin(), first, guests_.end());
  guest_ = question_ = 0;
  begin_at_.clear();
  running_ = true;
  width_ = std::max<std::size_t>(1, width);
  next_ = now + shortest_round;
  until_ = now + longest_round;
  resume_at_ = now;
}

/// Collects the next batch; it is empty if nothing is left.
void metrics_lane::fill() {
  while (few_.size() < width_ && guest_ < guests_.size()) {
    if (question_ == questions_.size()) {
      question_ = 0;
      ++guest_;
    } else if (const auto& about = questions_[question_++]; about.is_for(*guests_[guest_])) {
      few_.push_back({guests_[guest_], about});
    }
  }
}

std::vector<metrics_lane::request> metrics_lane::next(time now) {
  if (!running_ || open_ > 0 || now < resume_at_)
    return {};
  if (few_.empty()) // otherwise the service was busy
    fill();
  if (!few_.empty() && now >= until_) {
    begin_at_ = few_.front().guest->id;
    few_.clear();
  }
  if (few_.empty()) {
    end();
    return {};
  }
  std::chrono::steady_clock::duration longest{0};
  for (const auto& one : few_)
    longest = std::max(longest, longest_wait_for(*one.about.what));
  ++batch_;
  open_ = few_.size();
  worst_ = ending::done;
  asked_at_ = now;
  deadline_ = now + longest;
  return few_;
}

void metrics_lane::ended(std::uint64_t batch, ending how, time now) {
  if (batch != batch_ || open_ == 0)
    return;
  worst_ = std::max(worst_, how);
  if (--open_ == 0)
    settle(now);
}

bool metrics_lane::give_up(time now) {
  if (open_ == 0 || now < deadline_)
    return false;
  open_ = 0;
  worst_ = ending::hopeless;
  settle(now);
  return true;
}

/// All requests of the batch have ended.
void metrics_lane::settle(time now) {
  if (worst_ == ending::busy) {
    resume_at_ = now + pause_when_busy;
    return;
  }
  if (worst_ == ending::hopeless) {
    begin_at_ = few_.front().guest->id;
    end();
  }
  few_.clear();
}

/// The round also served the wishes that arrived while it ran.
void metrics_lane::end() noexcept {
  running_ = wanted_ = false;
  guests_.clear();
}

std::optional<metrics_lane::time> metrics_lane::due() const noexcept {
  if (open_ > 0)
    return deadline_;
  if (running_)
    return resume_at_;
  return wanted_ ? std::optional{next_} : std::nullopt;
}

} // namespace mistify::actors
