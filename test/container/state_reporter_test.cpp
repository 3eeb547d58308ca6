#include "fixture.hpp"
#include "rpc/agents/container/state_reporter.hpp"
#include "rpc/kit/server.hpp"

#include <chrono>
#include <httplib.h>
#include <mutex>
#include <thread>
#include <tuple>

using namespace mistify;
using namespace mistify::agents::container;
using namespace std::chrono_literals;
using test::container_lab;
using test::fake_engine;

namespace {

/// Where reports go: remembers the last one of each guest.
class fake_agent {
public:
  fake_agent() {
    server_.Put(R"(/guests/([^/]+)/state)", [this](const httplib::Request& request, httplib::Response& answer) {
      const std::lock_guard lock{mutex_};
      answer.status = busy_ ? 409 : 200;
      if (!busy_)
        told_[request.matches[1]] = request.body;
      ++count_;
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread{[this] { server_.listen_after_bind(); }};
  }
  ~fake_agent() {
    server_.stop();
    thread_.join();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void be_busy(bool now) {
    const std::lock_guard lock{mutex_};
    busy_ = now;
  }
  bool knows(const std::string& guest, const std::string& text) const {
    for (int i = 0; i < 1000; ++i) {
      {
        const std::lock_guard lock{mutex_};
        const auto found = told_.find(guest);
        if (found != told_.end() && found->second.find(text) != std::string::npos)
          return true;
      }
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> told_;
  bool busy_ = false;
  int count_ = 0;
};

struct reporter_lab : container_lab {
  fake_agent hears;
  engine on{fake.socket()};
  guest_marks marks{settings.folder / "guests"};
  containers all{on, marks, {}};
  std::optional<state_reporter> reporter{std::in_place, on, all, marks, hears.url()};

  static bool comes_true(const std::function<bool()>& is_so) {
    for (int i = 0; i < 1000 && !is_so(); ++i)
      std::this_thread::sleep_for(10ms);
    return is_so();
  }
  bool knows(const std::string& state) const { return hears.knows(id, "\"state\":\"" + state + '"'); }
  /// The last report is of that state, for that reason.
  bool knows(const std::string& state, const std::string& reason) const {
    return hears.knows(id, R"({"state":")" + state + R"(","state_reason":")" + reason + R"("})");
  }
};

} // namespace

TEST_CASE_METHOD(reporter_lab, "what containers do by themselves is reported") {
  act("RunContainer");
  CHECK(knows("running"));
  fake.end(name, 137);
  CHECK(knows("stopped"));
  engine{fake.socket()}.post("/containers/" + name + "/start");
  CHECK(knows("running"));
  engine{fake.socket()}.post("/containers/" + name + "/pause");
  CHECK(knows("paused"));
  fake.vanish(name);
  CHECK(knows("unknown"));
}

TEST_CASE_METHOD(reporter_lab, "reports say why a container is in its state") {
  act("RunContainer");
  CHECK(hears.knows(id, R"({"state":"running"})"));
  const std::tuple<int, bool, const char*> ends[] = {
    {0, false, "shutdown"}, {3, false, "crashed:3"}, {137, false, "killed"}, {137, true, "oom"}};
  for (const auto& [code, oom, reason] : ends) {
    INFO(reason);
    fake.end(name, code, oom);
    CHECK(knows("stopped", reason));
    engine{fake.socket()}.post("/containers/" + name + "/start");
    CHECK(hears.knows(id, R"({"state":"running"})"));
    fake.with(name, [](auto& c) { c.oom = false; });
  }
  act("StopContainer");
  CHECK(knows("stopped", "user"));
  fake.vanish(name);
  CHECK(knows("unknown", "missing"));
}

TEST_CASE_METHOD(reporter_lab, "what happened while the engine was away is reported when it is back") {
  act("RunContainer");
  CHECK(knows("running"));
  fake.go_away();
  fake.with(name, [](auto& c) {
    c.status = "exited";
    c.exit_code = 1;
  });
  fake.come_back();
  CHECK(knows("stopped"));
}

TEST_CASE_METHOD(
  reporter_lab,
  "what happened while the sub-agent was away is reported at its start, also of a container that is gone") {
  act("RunContainer");
  CHECK(knows("running"));
  reporter.reset();
  fake.vanish(name);
  reporter.emplace(on, all, marks, hears.url());
  CHECK(knows("unknown"));
}

TEST_CASE_METHOD(reporter_lab, "a report that comes at the wrong time is repeated, with the state of then") {
  act("RunContainer");
  CHECK(knows("running"));
  hears.be_busy(true);
  fake.end(name, 1);
  std::this_thread::sleep_for(200ms);
  engine{fake.socket()}.post("/containers/" + name + "/start");
  engine{fake.socket()}.post("/containers/" + name + "/pause");
  hears.be_busy(false);
  CHECK(knows("paused"));
}

TEST_CASE_METHOD(reporter_lab, "more guests than can be due are reported all the same") {
  reporter.reset();
  char guest[37];
  for (std::size_t i = 0; i <= rpc::due_reports::most; ++i) {
    std::snprintf(guest, sizeof guest, "0a1b2c3d-0000-4000-8000-%012zu", i);
    marks.note(guest);
  }
  reporter.emplace(on, all, marks, hears.url());
  CHECK(hears.knows("0a1b2c3d-0000-4000-8000-000000000000", "unknown"));
  CHECK(hears.knows("0a1b2c3d-0000-4000-8000-000000000100", "unknown"));
}

TEST_CASE_METHOD(reporter_lab, "an id is forgotten when the name goes, and the renamed container is not started") {
  const container_call asked{.guest = guest(), .action = "x", .args = {}, .wait = {}};
  all.create(asked);
  CHECK(comes_true([&] { return !all.known().id_of(id).empty(); }));
  fake.rename(name, "elsewhere");
  CHECK(comes_true([&] { return all.known().id_of(id).empty(); }));
  fake.put(name, {.id = std::string(64, 'f'), .guest = "", .body = "{}"});
  CHECK_THROWS_WITH(all.start(asked), Catch::StartsWith("conflict"));
  CHECK(fake.get("elsewhere").status == "created");
}

TEST_CASE_METHOD(reporter_lab, "what happened while the engine's events were not read makes no id wrong") {
  all.create({.guest = guest(), .action = "x", .args = {}, .wait = {}});
  CHECK(comes_true([&] { return !all.known().id_of(id).empty(); }));
  auto again = fake.get(name);
  again.id = std::string(64, 'e');
  fake.put(name, again);
  fake.end_events();
  CHECK(comes_true([&] { return all.known().id_of(id) == again.id; }));
}

TEST_CASE("a reporter ends at once, with and without an engine") {
  test::temp_dir dir;
  engine on{(dir.path() / "none.sock").string()};
  guest_marks marks{dir.path() / "guests"};
  containers all{on, marks, {}};
  const auto begin = std::chrono::steady_clock::now();
  { state_reporter reporter{on, all, marks, "http://127.0.0.1:9"}; }
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}
