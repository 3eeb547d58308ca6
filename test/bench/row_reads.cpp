#include "rows.hpp"
#include "seed.hpp"

#include <thread>

namespace mistify::bench {

namespace {

using namespace std::chrono_literals;

constexpr database_size small{10, 1000};

std::string per_second(double value) {
  return in_words(value) + "/s";
}

figure against_bare(const std::string& work, const pairs& measured, double goal) {
  return {work, per_second(measured.ours), per_second(measured.theirs), measured.ratio, goal};
}

std::string body_of(std::uint16_t port, const std::string& path) {
  return http_link{port}.ask("GET", path).body;
}

void expect_same(std::uint16_t a, std::uint16_t b, const std::string& path) {
  const auto one = body_of(a, path), other = body_of(b, path);
  if (one != other)
    throw std::runtime_error{"different answers to " + path + ":\n" + one + '\n' + other};
}

pairs race(lab& in, std::uint16_t ours, std::uint16_t theirs, const std::string& path) {
  expect_same(ours, theirs, path);
  return measure_in_turn(
    in.how_much.rounds, [&] { return in.wrk(ours, path).per_second; }, [&] { return in.wrk(theirs, path).per_second; });
}

/// Requests that hang in the sub-agent: they are sent, and their connections stay open.
std::vector<http_link> hang(std::uint16_t port, std::size_t count) {
  std::vector<http_link> waiting;
  for (std::size_t i = 0; i < count; ++i) {
    waiting.emplace_back(port);
    waiting.back().send("GET", "/guests/" + guest_id(i % small.guests) + "/metrics/disk");
  }
  std::this_thread::sleep_for(200ms); // for all to have arrived
  return waiting;
}

double p99_while_hanging(lab& in, std::uint16_t port, const std::string& path) {
  const auto hanging = in.start_sub_agent(in.hanging_port()); // its end lets the requests go
  const auto waiting = hang(port, 100);
  return in.wrk(port, path).p99_us;
}

} // namespace

std::vector<figure> row_get(lab& in) {
  const auto ours = in.start_agent(small);
  const auto path = "/guests/" + guest_id(0);
  const auto bare_port = test::free_port();
  const auto bare = in.start_bare(bare_port, path, {in.write("guest.json", body_of(ours.port(), path))});
  return {against_bare("GET guest : bare httplib server", race(in, ours.port(), bare_port, path), 0.85)};
}

std::vector<figure> row_metrics(lab& in) {
  const auto ours = in.start_agent(small);
  const auto guest = "/guests/" + guest_id(0);
  const auto call =
    R"({"method":"Test.CpuMetrics","params":[{"guest":)" + body_of(ours.port(), guest) + R"(,"type":"cpu"}],"id":0})";
  const auto path = guest + "/metrics/cpu";
  const auto bare_port = test::free_port();
  const auto bare = in.start_bare(bare_port, path, {in.write("call.json", call), std::to_string(in.sub_agent_port())});
  return {against_bare("GET metrics/cpu : bare httplib proxy", race(in, ours.port(), bare_port, path), 0.70)};
}

std::vector<figure> row_hang(lab& in) {
  const auto ours = in.start_agent(small);
  const auto path = "/guests/" + guest_id(0);
  const auto measured = measure_in_turn(
    in.how_much.rounds, [&] { return p99_while_hanging(in, ours.port(), path); },
    [&] { return in.wrk(ours.port(), path).p99_us; });
  return {{"p99 of reads, 100 requests hang : none hangs", in_words(measured.ours / 1000, 2) + " ms",
           in_words(measured.theirs / 1000, 2) + " ms", measured.ratio, 2, false}};
}

} // namespace mistify::bench
