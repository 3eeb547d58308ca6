#include "rpc/agents/libvirt/state_reporter.hpp"
#include "test/libvirt/fixture.hpp"
#include "test/rpc/scripted_agent.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>

using namespace mistify;
using namespace std::chrono_literals;
using strings = std::vector<std::string>;

namespace {

/// An agent that notes what it is told of one guest, and answers that as it is asked to; then with 200. An answer that is
/// empty is none: the connection is closed.
class listening_agent {
public:
  explicit listening_agent(std::deque<std::string> answers = {}) : answers_{std::move(answers)} {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }

  /// The first so many states of the guest, as they came; fewer where they do not come in time.
  strings states(std::size_t count) {
    std::unique_lock lock{mutex_};
    came_.wait_for(lock, 5s, [&] { return states_.size() >= count; });
    return states_;
  }

  void answer_next(std::string status) {
    const std::lock_guard lock{mutex_};
    answers_.push_back(std::move(status));
  }

private:
  void serve(test::peer& from) {
    for (auto request = from.request(); !request.empty(); request = from.request())
      if (const auto status = note(request); status.empty() || !from.send(test::http("{}", status)))
        return;
  }

  std::string note(const std::string& request) {
    const std::string head = "PUT /guests/" + std::string{test::libvirt_fixture::id} + "/state ";
    if (!request.starts_with(head))
      return "404 Not Found"; // a machine that the test driver brings along
    const std::lock_guard lock{mutex_};
    states_.push_back(request.substr(request.find("\r\n\r\n") + 4));
    came_.notify_all();
    if (answers_.empty())
      return "200 OK";
    auto status = answers_.front();
    answers_.pop_front();
    return status;
  }

  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::string> answers_;
  strings states_;
  test::scripted_agent server_{[this](test::peer& from) { serve(from); }}; // last: it uses the others
};

struct reporter_fixture : test::libvirt_fixture {
  agents::hypervisor hypervisor{uri};

  void shut_down() { agents::must(virDomainDestroy(domain().get())); }
  void start() { agents::must(virDomainCreate(domain().get())); }
};

const std::string running = R"({"state":"running"})", shutoff = R"({"state":"shutoff"})";

} // namespace

TEST_CASE_METHOD(reporter_fixture, "at first the agent is told what every guest is in") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url()};
  CHECK(told.states(1) == strings{running});
}

TEST_CASE_METHOD(reporter_fixture, "the agent is told of a guest that changes by itself, within a second") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url()};
  REQUIRE(told.states(1) == strings{running});
  const auto before = std::chrono::steady_clock::now();
  shut_down();
  CHECK(told.states(2) == strings{running, shutoff});
  CHECK(std::chrono::steady_clock::now() - before < 1s);
  start();
  CHECK(told.states(3) == strings{running, shutoff, running});
}

TEST_CASE_METHOD(reporter_fixture, "what the agent does not take now is told again, as it is then") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told{{"409 Conflict", "503 Service Unavailable"}};
  const agents::state_reporter reporter{hypervisor, told.url()};
  REQUIRE(told.states(1) == strings{running});
  shut_down();
  CHECK(told.states(3) == strings{running, shutoff, shutoff});
}

TEST_CASE_METHOD(reporter_fixture, "an agent that was away is told of everyone when it is back") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told{{"", ""}};
  const agents::state_reporter reporter{hypervisor, told.url()};
  CHECK(told.states(4) == strings{running, running, running, running});
}

TEST_CASE_METHOD(reporter_fixture, "what the agent refuses is not told again") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told{{"403 Forbidden", "404 Not Found"}};
  const agents::state_reporter reporter{hypervisor, told.url()};
  REQUIRE(told.states(1) == strings{running});
  shut_down();
  REQUIRE(told.states(2) == strings{running, shutoff});
  start();
  CHECK(told.states(3) == strings{running, shutoff, running});
}

TEST_CASE_METHOD(reporter_fixture, "a guest whose domain somebody else removed is in a state that nobody knows") {
  guest("CreateGuest", small());
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url()};
  REQUIRE(told.states(1) == strings{shutoff});
  agents::must(virDomainUndefine(domain().get()));
  CHECK(told.states(2) == strings{shutoff, R"({"state":"unknown"})"});
}

TEST_CASE_METHOD(reporter_fixture, "a reporter ends while an agent does not answer") {
  guest("CreateGuest", small());
  test::scripted_agent silent{[](test::peer& from) { from.hang(); }};
  std::chrono::steady_clock::time_point before;
  {
    const agents::state_reporter reporter{hypervisor, "http://127.0.0.1:" + std::to_string(silent.port())};
    while (silent.connections() == 0)
      std::this_thread::yield();
    before = std::chrono::steady_clock::now();
  }
  CHECK(std::chrono::steady_clock::now() - before < 4s);
}
