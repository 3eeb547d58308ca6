#include "http/cli/mistify/cluster/maintenance.hpp"

#include "http/client/failure.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace mistify::cli {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t longest_readiness = 64 << 10;

std::optional<bool> ask(client::settings agent, milliseconds longest) {
  try {
    agent.timeout = longest;
    agent.longest_answer = longest_readiness; // etcd may name any host, and 16 are asked at a time
    return read_maintenance(client::transport{agent}.send({"GET", "/readyz", {}, {}}).body);
  } catch (const client::failure&) { // away, or late
    return std::nullopt;
  }
}

} // namespace

std::optional<bool> read_maintenance(std::string_view body) {
  using kind = rpc::json::node::kind;
  try {
    const auto document = rpc::json::document::parse(body);
    const auto* state = document.root().find("status");
    if (!state || state->type() != kind::string)
      return std::nullopt;
    const auto* now = document.root().find("maintenance");
    const auto* on = now ? now->find("on") : nullptr;
    return on && on->as_bool("on");
  } catch (const rpc::failure&) { // no agent's
    return std::nullopt;
  }
}

std::vector<std::optional<bool>> ask_for_maintenance(const std::vector<client::settings>& agents,
                                                     const asking_limits& limits) {
  std::vector<std::optional<bool>> answers(agents.size());
  std::atomic<std::size_t> next = 0;
  const auto until = clock::now() + limits.all;
  const auto work = [&] {
    for (auto i = next++; i < agents.size(); i = next++) {
      const auto left = std::chrono::duration_cast<milliseconds>(until - clock::now());
      if (left.count() <= 0)
        return;
      answers[i] = ask(agents[i], std::min(limits.each, left)); // an element for each index: no two threads share one
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min(limits.at_a_time, agents.size()); ++i)
    others.emplace_back(work);
  work();
  others.clear(); // waits for all
  return answers;
}

} // namespace mistify::cli
