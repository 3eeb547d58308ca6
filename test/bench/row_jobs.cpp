#include "commits.hpp"
#include "job_load.hpp"
#include "rows.hpp"

namespace mistify::bench {

std::vector<figure> row_jobs(lab& in) {
  const auto ours = in.start_agent({32, 1000});
  const auto measured = measure_in_turn(
    in.how_much.rounds, [&] { return jobs_per_second(ours.port(), in.how_much.length); },
    [&] { return commits_per_second(in.folder(), in.how_much.length) / 3; });
  return {{"async jobs : a third of single-row commits", in_words(measured.ours) + "/s",
           in_words(measured.theirs) + "/s", measured.ratio, 3}};
}

} // namespace mistify::bench
