#include "http/cli/mistify/waiting.hpp"

#include "http/cli/mistify/bar.hpp"
#include "http/cli/mistify/interrupt.hpp"
#include "http/cli/mistify/screen.hpp"
#include "rpc/model/codec.hpp"

namespace mistify::cli {

namespace {

advance advance_of(const queued_job& what, const client::job& now) {
  advance shown{what.label, now.message, {}, 0, 0};
  if (now.progress) {
    shown.done = now.progress->done.value_or(0);
    shown.total = now.progress->total.value_or(0);
    shown.unit = now.progress->unit;
  }
  if (now.status == rpc::job_status::queued && shown.message.empty())
    shown.message = "queued";
  return shown;
}

/// Of a job that failed: its code, where that says more than the message.
std::string reason_of(const client::job& ended) {
  if (ended.code == rpc::job_code::none || ended.code == rpc::job_code::failed)
    return {};
  return " (" + std::string{rpc::to_string(ended.code)} + ")";
}

void wait_for_one(context& cx, const queued_job& what, client::patience& left, bar& line, error_list& errors) {
  constexpr std::chrono::milliseconds pace_of_bar{300}, pace_of_lines{5'000};
  try {
    const auto show = [&](const client::job& now) { line.show(advance_of(what, now)); };
    const auto pace = line.live() ? pace_of_bar : pace_of_lines;
    const auto ended = client::wait_for(cx.agent(), what.id, pace, show, left).value();
    line.clear();
    if (ended.status == rpc::job_status::error)
      errors.add(status::failed,
                 what.label + ": " + (ended.message.empty() ? "the job ended in Error" : ended.message) +
                   reason_of(ended),
                 "`mistify job " + what.id + "` shows the job");
  } catch (const client::failure& e) {
    line.clear();
    errors.add(what.label, e);
  }
}

} // namespace

void wait_for_all(context& cx, const std::vector<queued_job>& jobs, error_list& errors, client::patience agent) {
  bar line;
  std::vector<std::string> left;
  for (const auto& one : jobs)
    left.push_back(one.id);
  for (const auto& one : jobs) {
    interrupt::jobs_under_way(left);
    wait_for_one(cx, one, agent, line, errors);
    left.erase(left.begin());
  }
  interrupt::jobs_under_way({});
}

void settle(context& cx, const std::vector<queued_job>& jobs, error_list& errors) {
  if (cx.args.has("--wait")) {
    wait_for_all(cx, jobs, errors);
    return;
  }
  for (const auto& one : jobs)
    print_line(one.id);
}

} // namespace mistify::cli
