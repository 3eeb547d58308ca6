// The way between an HTTP worker and the actors: one hop to an actor that answers at once, and two, through the front to
// a runner. No sockets and no sub-agent.

#include "actors/system.hpp"
#include "http/api/actor_gateway.hpp"
#include "test/bench/seed.hpp"

#include <benchmark/benchmark.h>
#include <filesystem>
#include <future>
#include <optional>
#include <unistd.h>

namespace mistify::bench {

namespace {

class running_agent {
public:
  running_agent() : folder_{std::filesystem::current_path() / ("micro-" + std::to_string(::getpid()))} {
    std::filesystem::create_directories(folder_);
    seed(database(), 1, 1);
    config_.emplace(actors::parse_config(
      {{"micro.json", R"({"actions":{"cpuMetrics":{"stages":[]}},"services":{},"dbpath":")" + database() + "\"}"}}));
    agent_ = std::make_unique<actors::agent_system>(*config_, measured_, [](std::string_view) {});
    agents_ = std::make_unique<http::actor_gateway>(*agent_);
  }
  ~running_agent() {
    agents_.reset();
    agent_.reset();
    std::filesystem::remove_all(folder_);
  }
  running_agent(const running_agent&) = delete;
  running_agent& operator=(const running_agent&) = delete;

  bool alive() { return answer_of(agents_->alive(std::chrono::seconds{5})); }
  rpc::json::document metrics() {
    return answer_of(agents_->ask(guest_id(0), {config_->find_action("cpuMetrics"), {}, false}));
  }

private:
  std::string database() const { return folder_ / "agent.db"; }

  template <class T>
  static T answer_of(http::awaitable<T> question) {
    std::promise<rpc::outcome<T>> told;
    auto answer = told.get_future();
    std::move(question).sender()([&](rpc::outcome<T> outcome) { told.set_value(std::move(outcome)); });
    return std::get<T>(answer.get());
  }

  std::filesystem::path folder_;
  std::optional<actors::current_config> config_;
  rpc::metrics::registry measured_;
  std::unique_ptr<actors::agent_system> agent_;
  std::unique_ptr<http::actor_gateway> agents_;
};

void one_hop_to_two_actors_at_once(benchmark::State& state) {
  running_agent agent;
  for (auto _ : state)
    benchmark::DoNotOptimize(agent.alive());
}
BENCHMARK(one_hop_to_two_actors_at_once)->UseRealTime();

void two_hops_to_a_runner(benchmark::State& state) {
  running_agent agent;
  for (auto _ : state)
    benchmark::DoNotOptimize(agent.metrics());
}
BENCHMARK(two_hops_to_a_runner)->UseRealTime();

} // namespace

} // namespace mistify::bench

BENCHMARK_MAIN();
