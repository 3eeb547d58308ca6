#include "process_figures.hpp"
#include "rows.hpp"
#include "seed.hpp"

#include <future>
#include <thread>

namespace mistify::bench {

namespace {

using namespace std::chrono_literals;
using milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::size_t guests = 10'000, connections = 16;
constexpr int looks = 20;

/// What the page asks for every second.
constexpr auto path = "/debug/actors?idle=false&limit=500";

/// One guest in `connections` gets a job that hangs in its sub-agent, or waits for a place there.
void queue_some(std::uint16_t port, std::size_t first) {
  http_link on{port};
  for (auto guest = first; guest < guests; guest += connections)
    if (on.ask("POST", "/guests/" + guest_id(guest) + "/suspend").status() != 202)
      throw std::runtime_error{"a job was refused"};
}

void hang_all(std::uint16_t port) {
  std::vector<std::future<void>> parts;
  for (std::size_t i = 0; i < connections; ++i)
    parts.push_back(std::async(std::launch::async, queue_some, port, i));
  for (auto& part : parts)
    part.get();
  std::this_thread::sleep_for(1s); // until each has begun
}

figure look(const agent& at, const std::string& work, double goal) {
  http_link on{at.port()};
  std::vector<double> times;
  std::size_t bytes = 0;
  const auto cpu = cpu_time(at.id());
  for (int i = 0; i < looks; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    bytes = on.ask_and_drop("GET", path);
    times.push_back(milliseconds{std::chrono::steady_clock::now() - begin}.count());
  }
  const milliseconds used = (cpu_time(at.id()) - cpu) / looks;
  return {work,
          in_words(used.count(), 1) + " ms CPU",
          in_words(static_cast<double>(bytes) / 1024) + " KiB",
          median(times),
          goal,
          false,
          "ms"};
}

} // namespace

std::vector<figure> row_look(lab& in) {
  const auto ours = in.start_agent({guests, 1000});
  const auto idle = look(ours, "/debug/actors, 10,000 guests, all idle", 50);
  const auto hanging = in.start_sub_agent(in.hanging_port());
  hang_all(ours.port());
  return {idle, look(ours, "/debug/actors, 10,000 guests, a job hangs on each", 500)};
}

} // namespace mistify::bench
