#include "commits.hpp"
#include "job_load.hpp"
#include "rows.hpp"
#include "slow_disk.hpp"

namespace mistify::bench {

namespace {

using std::chrono::milliseconds;

figure jobs_against_commits(lab& in, const std::string& name, disk on) {
  const auto ours = in.start_agent({32, 1000}, on);
  const auto longer = on == disk::slow ? slow_sync : milliseconds{0};
  const auto measured = measure_in_turn(
    in.how_much.rounds, [&] { return jobs_per_second(ours.port(), in.how_much.length); },
    [&] { return commits_per_second(in.folder(), in.how_much.length, longer) / 3; });
  return {name, in_words(measured.ours) + "/s", in_words(measured.theirs) + "/s", measured.ratio, 3};
}

} // namespace

/// How many jobs share a commit, and so what the agent gains by it, depends on what a sync takes.
std::vector<figure> row_jobs(lab& in) {
  return {jobs_against_commits(in, "async jobs : a third of single-row commits", disk::as_it_is),
          jobs_against_commits(in, "the same where a sync takes 1 ms longer", disk::slow)};
}

} // namespace mistify::bench
