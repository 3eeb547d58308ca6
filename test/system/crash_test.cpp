#include "event_ledger.hpp"
#include "house.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <semaphore>
#include <thread>

// Kills the agent at every boundary between two steps of a job, and at random moments under load, and then holds it to
// each answer that it had given. MISTIFY_CRASH_ROUNDS sets how many random kills there are.

using namespace mistify::test;

namespace {

int rounds() {
  const char* wanted = std::getenv("MISTIFY_CRASH_ROUNDS");
  return wanted ? std::max(1, std::atoi(wanted)) : 12;
}

void two_stages(config_file& config) {
  config.stages("reboot", R"({"service":"test","method":"Test.Stop"},{"service":"test","method":"Test.Run"})");
  config.stages("createSnapshot", R"({"service":"test","method":"Snap.One"},{"service":"test","method":"Snap.Two"})");
  config.top["limits"] = R"({"jobs":1000000,"queue":100000})";
}

/// Kills the agent from within a call of its own, as the power would.
struct deadly_house : house {
  explicit deadly_house(void (*configure)(config_file&) = two_stages) : house{configure}, id{create_guest()} {}

  /// The next call of the method stays out until `come_back`, and is the agent's last.
  void kill_during(const std::string& method) {
    sub.on(method, [this, armed = std::make_shared<std::atomic<bool>>(true)](const call& asked) {
      if (armed->exchange(false) && acknowledged_.try_acquire_for(patience)) {
        agent.running().signal(SIGKILL);
        killed_.release();
      }
      return echo(asked);
    });
  }

  /// To be called when the client has its answers: which of a call and a 202 is first is chance.
  void come_back() {
    acknowledged_.release();
    REQUIRE(killed_.try_acquire_for(patience));
    agent.running().wait();
    agent.start();
  }

  std::string id;

private:
  std::binary_semaphore acknowledged_{0}, killed_{0};
};

} // namespace

TEST_CASE("a job that was killed with a call out says in which stage, and is not sent again") {
  for (const auto& [method, stage] : {std::pair{"Test.Stop", 1}, std::pair{"Test.Run", 2}}) {
    INFO(method);
    deadly_house h;
    h.kill_during(method);
    const auto job = h.http.post("/guests/" + h.id + "/reboot").job();
    const auto behind = h.http.post("/guests/" + h.id + "/start").job();
    h.come_back();
    CHECK(h.message(job) == "interrupted by an agent restart in stage " + std::to_string(stage) + " (" + method + ")");
    CHECK(h.sub.calls(method).size() == 1);
    CHECK(h.outcome(behind) == "Complete");
    CHECK(h.outcome(h.http.post("/guests/" + h.id + "/reboot").job()) == "Complete");
  }
}

TEST_CASE("a create or a delete that was killed with its call out leaves the guest, for people to decide") {
  deadly_house h;
  h.kill_during("Test.Create");
  h.http.post("/guests", R"({"id":"33333333-3333-3333-3333-333333333333"})");
  h.come_back();
  CHECK(text_at(h.http.get("/guests/33333333-3333-3333-3333-333333333333").body, "state") == "error");
  h.kill_during("Test.Delete");
  const auto job = h.http.del("/guests/" + h.id).job();
  h.come_back();
  CHECK(h.message(job) == "interrupted by an agent restart in stage 1 (Test.Delete)");
  CHECK(h.http.get("/guests/" + h.id).status == 200);
}

TEST_CASE("an idempotent stage that was killed with its call out is sent again and completes") {
  deadly_house h{[](config_file& config) {
    config.stages("reboot", R"({"service":"test","method":"Test.Again","idempotent":true})");
  }};
  h.kill_during("Test.Again");
  const auto job = h.http.post("/guests/" + h.id + "/reboot").job();
  h.come_back();
  CHECK(h.outcome(job) == "Complete");
  CHECK(h.sub.calls("Test.Again").size() == 2);
}

namespace {

/// What a client was told, to hold the agent to it.
struct promised {
  std::string job, guest, snapshot;
};

/// Clients that queue work until the agent is gone; each has a guest of its own, so that the order of its jobs is known.
class load {
public:
  load(house& on, int round) : on_{on}, round_{round} {
    for (std::size_t i = 0; i < clients_.size(); ++i)
      clients_[i].guest = on.create_guest();
  }

  void begin() {
    for (auto& client : clients_)
      client.thread = std::thread{[this, &client] { ask_until_gone(client); }};
  }

  void join() {
    for (auto& client : clients_)
      client.thread.join();
  }

  /// The agent has come back: everything that it acknowledged is there and ends, nothing ran twice, the order holds.
  void check() const {
    for (const auto& client : clients_)
      for (const auto& one : client.told)
        on_.ended(one.job); // all calls have been made, and are counted once
    for (const auto& client : clients_) {
      for (const auto& one : client.told)
        check_job(one);
      check_order(client);
      check_metadata(client);
    }
  }

  std::size_t acknowledged() const {
    std::size_t sum = 0;
    for (const auto& client : clients_)
      sum += client.told.size();
    return sum;
  }

private:
  struct one_client {
    std::string guest;
    std::thread thread;
    std::vector<promised> told;
    int last_metadata = 0;
  };

  void ask_until_gone(one_client& who) {
    try {
      for (int n = 1;; ++n) {
        const auto name =
          "s" + std::to_string(round_) + "-" + std::to_string(&who - clients_.data()) + "-" + std::to_string(n);
        const auto queued = on_.http.post("/guests/" + who.guest + "/snapshots", R"({"dest":")" + name + R"("})");
        if (queued.status != 202)
          return;
        who.told.push_back({queued.job(), who.guest, name});
        set_metadata(who, n);
      }
    } catch (const std::exception&) {
      // The agent is gone: that is how each round ends.
    }
  }

  /// An answer that was lost on its way may or may not have been done: only the guest's next one tells.
  void set_metadata(one_client& who, int n) {
    const auto answer =
      on_.http.patch("/guests/" + who.guest + "/metadata", R"({"last":")" + std::to_string(n) + R"("})");
    if (answer.status == 200)
      who.last_metadata = n;
  }

  void check_job(const promised& one) const {
    INFO(one.snapshot);
    const auto job = on_.ended(one.job);
    const auto status = text_at(job, "Status"), message = text_at(job, "Message");
    INFO(job);
    const auto first = times("Snap.One", one.snapshot), second = times("Snap.Two", one.snapshot);
    CHECK(first <= 1);
    CHECK(second <= 1);
    if (status == "Complete") {
      CHECK(first == 1);
      CHECK(second == 1);
    } else {
      const bool in_first = message == "interrupted by an agent restart in stage 1 (Snap.One)";
      const bool in_second = message == "interrupted by an agent restart in stage 2 (Snap.Two)";
      CHECK((in_first || in_second));
      if (in_first)
        CHECK(second == 0);
      if (in_second)
        CHECK(first == 1);
    }
  }

  std::size_t times(std::string_view method, const std::string& snapshot) const {
    std::size_t n = 0;
    for (const auto& asked : calls_of(method))
      n += text_at(asked.params, "dest") == snapshot;
    return n;
  }

  /// The last value that was acknowledged, or the one whose answer the kill took.
  void check_metadata(const one_client& who) const {
    const auto last = text_at(on_.http.get("/guests/" + who.guest + "/metadata").body, "last");
    const int found = last == "(absent)" ? 0 : std::stoi(last);
    CHECK(found >= who.last_metadata);
    CHECK(found <= who.last_metadata + 1);
  }

  /// A guest's jobs began in the order in which they were acknowledged.
  void check_order(const one_client& who) const {
    std::vector<std::string> began;
    for (const auto& asked : calls_of("Snap.One"))
      if (at(asked.params, "id").find(who.guest) != std::string::npos)
        began.push_back(text_at(asked.params, "dest"));
    std::size_t next = 0;
    for (const auto& one : who.told) {
      const auto found = std::find(began.begin() + static_cast<std::ptrdiff_t>(next), began.end(), one.snapshot);
      if (found != began.end())
        next = static_cast<std::size_t>(found - began.begin()) + 1;
      else
        CHECK(std::find(began.begin(), began.end(), one.snapshot) == began.end());
    }
  }

  const std::vector<call>& calls_of(std::string_view method) const {
    auto& known = calls_[std::string{method}];
    if (known.empty())
      known = on_.sub.calls(method);
    return known;
  }

  house& on_;
  int round_;
  std::array<one_client, 4> clients_;
  mutable std::map<std::string, std::vector<call>> calls_;
};

} // namespace

TEST_CASE("nothing that was acknowledged is lost or done twice when the agent is killed under load") {
  house h{two_stages};
  std::mt19937 random{20261123}; // the same moments each time, as far as the machine allows
  std::uniform_int_distribution<int> milliseconds{1, 60};
  std::size_t acknowledged = 0;
  event_ledger events{h};
  for (int round = 0; round < rounds(); ++round) {
    INFO("round " << round);
    load clients{h, round};
    events.read_along();
    clients.begin();
    std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds(random)});
    h.agent.running().signal(SIGKILL);
    clients.join();
    h.agent.running().wait();
    h.agent.start();
    clients.check();
    events.check();
    acknowledged += clients.acknowledged();
  }
  CHECK(acknowledged > 0);
  WARN(rounds() << " kills, " << acknowledged << " jobs acknowledged, " << events.size() << " events told");
}
