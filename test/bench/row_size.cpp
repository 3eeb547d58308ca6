#include "job_load.hpp"
#include "process_figures.hpp"
#include "rows.hpp"

#include <thread>

namespace mistify::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t many_guests = 10'000;

/// What an agent has in RAM once its start is over.
double settled_memory(lab& in, std::size_t guests) {
  const auto started = in.start_agent({guests, 1000});
  std::this_thread::sleep_for(500ms);
  return static_cast<double>(resident(started.id()));
}

} // namespace

std::vector<figure> row_memory(lab& in) {
  const auto few = settled_memory(in, 10), many = settled_memory(in, many_guests);
  const auto each = (many - few) / (many_guests - 10);
  return {{"memory per guest, 10,000 guests : 10 guests", in_words(many / 1048576, 1) + " MiB",
           in_words(few / 1048576, 1) + " MiB", each / 1024, 4, false, "KiB"}};
}

std::vector<figure> row_idle(lab& in) {
  const auto ours = in.start_agent({many_guests, 1000});
  std::this_thread::sleep_for(1s); // what the start left to do
  const auto before = cpu_time(ours.id());
  std::this_thread::sleep_for(in.how_much.idle);
  const std::chrono::duration<double> used = cpu_time(ours.id()) - before, length = in.how_much.idle;
  return {{"CPU when idle, 10,000 guests", "", "", 100 * (used / length), 1, false, "%"}};
}

/// With an empty database that is there.
std::vector<figure> row_start(lab& in) {
  auto ours = in.start_agent({0, 1000});
  std::vector<double> times;
  for (int i = 0; i < 2 * in.how_much.rounds; ++i)
    times.push_back(std::chrono::duration<double, std::milli>{ours.kill_and_start()}.count());
  return {{"start with 0 guests until it answers", "", "", median(times), 20, false, "ms"}};
}

std::vector<figure> row_ready(lab& in) {
  auto ours = in.start_agent({many_guests, 100'000});
  std::vector<double> times;
  for (int i = 0; i < in.how_much.rounds; ++i) {
    jobs_per_second(ours.port(), 500ms); // so that there is something to recover
    times.push_back(std::chrono::duration<double, std::milli>{ours.kill_and_start()}.count());
  }
  return {{"ready after kill -9, 10,000 guests, 100,000 jobs", "", "", median(times), 60, false, "ms"}};
}

} // namespace mistify::bench
