#include "commits.hpp"
#include "http_link.hpp"
#include "job_load.hpp"
#include "rows.hpp"
#include "seed.hpp"
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
  return {name, in_words(measured.ours) + "/s", in_words(measured.theirs) + "/s", measured.ratio, 5};
}

constexpr int samples = 100;

/// What a call takes in the middle of many, in ms.
double median_time(const std::function<void()>& call, const std::function<void()>& between) {
  std::vector<double> times;
  for (int i = 0; i < samples; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    times.push_back(std::chrono::duration<double, std::milli>{std::chrono::steady_clock::now() - begin}.count());
    between();
  }
  return median(times);
}

/// Each job ends before the next one is asked for.
double time_of_reboot(std::uint16_t port) {
  http_link on{port};
  http_reply answer;
  const auto path = "/guests/" + guest_id(0) + "/reboot";
  return median_time([&] { answer = on.ask("POST", path); },
                     [&] {
                       if (answer.status() != 202)
                         throw std::runtime_error{"a job was refused: " + answer.head + answer.body};
                       on.ask("GET", "/jobs/" + answer.header("X-Guest-Job-ID") + "?wait=20s");
                     });
}

double time_of_commit(const std::string& folder) {
  single_rows rows{folder + "/one-commit.db"};
  return median_time([&] { rows.commit_one(); }, [] {});
}

/// With as much time in between as a job takes: a disk and a processor that were idle are slower.
double time_of_asked_commit(const std::string& folder) {
  asked_rows rows{folder + "/asked-commit.db"};
  return median_time([&] { rows.ask_for_one(); }, [] { std::this_thread::sleep_for(milliseconds{1}); });
}

figure alone_against(lab& in, std::uint16_t port, const std::string& name, double (*theirs)(const std::string&)) {
  const auto measured = measure_in_turn(
    2 * in.how_much.rounds, [&] { return time_of_reboot(port); }, [&] { return theirs(in.folder()); });
  return {name, in_words(measured.ours, 2) + " ms", in_words(measured.theirs, 2) + " ms", measured.ratio, 1.3, false};
}

} // namespace

/// One client that waits for each answer: a commit is the least that an answer takes.
std::vector<figure> row_alone(lab& in) {
  const auto ours = in.start_agent({32, 1000});
  return {alone_against(in, ours.port(), "one client: POST reboot answered : a commit", time_of_commit),
          alone_against(in, ours.port(), "  the same : a commit that a thread is asked for", time_of_asked_commit)};
}

/// How many jobs share a commit, and so what the agent gains by it, depends on what a sync takes.
std::vector<figure> row_jobs(lab& in) {
  return {jobs_against_commits(in, "async jobs : a third of single-row commits", disk::as_it_is),
          jobs_against_commits(in, "the same where a sync takes 1 ms longer", disk::slow)};
}

} // namespace mistify::bench
