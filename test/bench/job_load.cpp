#include "job_load.hpp"

#include "http_link.hpp"
#include "seed.hpp"

#include <array>
#include <atomic>
#include <exception>
#include <future>
#include <stdexcept>
#include <vector>

namespace mistify::bench {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t connections = 16;
/// How many jobs a connection queues on each of its guests before it waits for the last. They run in their order, so that
/// its end is the end of all: more questions would measure the questions.
constexpr std::size_t jobs_in_a_row = 4;

std::string queue_job(http_link& on, std::size_t guest) {
  const auto answer = on.ask("POST", "/guests/" + guest_id(guest) + "/reboot");
  if (answer.status() != 202)
    throw std::runtime_error{"a job was refused: " + answer.head + answer.body};
  return answer.header("X-Guest-Job-ID");
}

void await_job(http_link& on, const std::string& id) {
  const auto answer = on.ask("GET", "/jobs/" + id + "?wait=20s");
  if (answer.body.find(R"("Status":"Complete")") == std::string::npos)
    throw std::runtime_error{"a job did not complete: " + answer.body};
}

std::size_t run_jobs(std::uint16_t port, std::size_t first_guest, clock::time_point until) {
  http_link on{port};
  std::size_t count = 0;
  while (clock::now() < until) {
    std::array<std::string, 2> last;
    for (std::size_t i = 0; i < jobs_in_a_row; ++i)
      last = {queue_job(on, first_guest), queue_job(on, first_guest + connections)};
    for (const auto& id : last)
      await_job(on, id);
    count += last.size() * jobs_in_a_row;
  }
  return count;
}

} // namespace

double jobs_per_second(std::uint16_t port, std::chrono::milliseconds length) {
  const auto begin = clock::now();
  std::vector<std::future<std::size_t>> running;
  for (std::size_t i = 0; i < connections; ++i)
    running.push_back(std::async(std::launch::async, run_jobs, port, i, begin + length));
  std::size_t count = 0;
  for (auto& one : running)
    count += one.get();
  return static_cast<double>(count) / std::chrono::duration<double>{clock::now() - begin}.count();
}

} // namespace mistify::bench
