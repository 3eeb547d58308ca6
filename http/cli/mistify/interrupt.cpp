#include "http/cli/mistify/interrupt.hpp"

#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/screen.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <utility>

namespace mistify::cli::interrupt {

namespace {

struct shared {
  std::mutex mutex;
  std::vector<std::string> jobs;
  std::function<void()> restore;
};

/// Never destroyed: the thread may look at it while the program ends.
shared& state() {
  static auto& all = *new shared; // NOLINT(cppcoreguidelines-owning-memory)
  return all;
}

void say_what_goes_on(const std::vector<std::string>& jobs) {
  if (jobs.empty())
    return;
  constexpr std::size_t most = 4;
  std::string names;
  for (std::size_t i = 0; i < jobs.size() && i < most; ++i)
    names.append(i > 0 ? " " : "").append(jobs[i]);
  if (jobs.size() > most)
    names += " and " + std::to_string(jobs.size() - most) + " more";
  print_error("mistify: interrupted; " + std::string{jobs.size() == 1 ? "this job goes on: " : "these jobs go on: "} +
              names);
  print_error("mistify: `mistify wait JOB` waits again, `mistify cancel JOB` ends it");
}

} // namespace

void begin() {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  std::thread{[ours] {
    int number = 0;
    sigwait(&ours, &number);
    auto& all = state();
    const std::lock_guard lock{all.mutex}; // and never let go: nothing may change the terminal any more
    if (all.restore)
      all.restore();
    say_what_goes_on(all.jobs);
    ::_exit(number == SIGTERM ? 128 + SIGTERM : code(status::interrupted));
  }}.detach();
}

void jobs_under_way(std::vector<std::string> ids) {
  const std::lock_guard lock{state().mutex};
  state().jobs = std::move(ids);
}

void on_end(std::function<void()> restore) {
  const std::lock_guard lock{state().mutex};
  state().restore = std::move(restore);
}

} // namespace mistify::cli::interrupt
