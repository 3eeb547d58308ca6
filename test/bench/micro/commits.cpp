// The journal, on the disk of the build: what a job's three steps cost when so many jobs share each commit, beside what
// SQLite takes for a row alone.

#include "test/bench/commits.hpp"
#include "store/journal.hpp"
#include "test/bench/seed.hpp"

#include <benchmark/benchmark.h>
#include <filesystem>
#include <unistd.h>

namespace mistify::bench {

namespace {

class folder {
public:
  folder() : path_{std::filesystem::current_path() / ("micro-" + std::to_string(::getpid()))} {
    std::filesystem::create_directories(path_);
  }
  ~folder() { std::filesystem::remove_all(path_); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  std::string operator/(const char* name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

constexpr std::size_t first_job = 1'000'000; // beyond those of the seed

/// The three steps of jobs on guests of their own, each step of all of them in one commit.
class jobs_in_step {
public:
  jobs_in_step(store::journal& log, const store::guest_index& guests, std::size_t count)
    : log_{log}, guests_{guests}, count_{count} {}

  void run() {
    each([&](std::size_t guest, const std::string& job) {
      log_.add_job({job, guest_id(guest), "reboot", "", "", ""});
    });
    each([&](std::size_t, const std::string& job) {
      log_.record({job, store::guest_unchanged{}, store::stage_starts{0, "Test.Reboot"}});
    });
    each([&](std::size_t guest, const std::string& job) {
      store::guest_returned change{guests_.find(guest_id(guest))->doc, sample_guest(guest)};
      log_.record({job, std::move(change), store::job_ends{rpc::job_status::complete, ""}});
    });
    first_ += count_;
  }

private:
  template <class F>
  void each(const F& step) {
    log_.begin();
    for (std::size_t i = 0; i < count_; ++i)
      step(i, job_id(first_ + i));
    log_.commit();
  }

  store::journal& log_;
  const store::guest_index& guests_;
  const std::size_t count_;
  std::size_t first_ = first_job;
};

void job_from_queue_to_end(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const folder at;
  seed(at / "agent.db", count, 1000);
  store::guest_index guests;
  store::journal_settings settings;
  settings.path = at / "agent.db";
  store::journal log{settings, guests};
  jobs_in_step jobs{log, guests, count};
  for (auto _ : state)
    jobs.run();
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(job_from_queue_to_end)->Arg(1)->Arg(8)->Arg(32)->UseRealTime()->Unit(benchmark::kMicrosecond);

void row_alone(benchmark::State& state) {
  const folder at;
  single_rows rows{at / "rows.db"};
  for (auto _ : state)
    rows.commit_one();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(row_alone)->UseRealTime()->Unit(benchmark::kMicrosecond);

} // namespace

} // namespace mistify::bench
