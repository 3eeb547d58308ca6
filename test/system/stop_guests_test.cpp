#include "daemon.hpp"
#include "test/rpc/scripted_agent.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <map>
#include <mutex>

// How `mistify-agent stop-guests` deals with an agent that is in trouble. With a real one: power_test.cpp.

using namespace mistify::test;

namespace {

/// Answers a request, by "METHOD /path", with what is next for it; the last answer stays. Empty: it hangs up.
class troubled_agent {
public:
  explicit troubled_agent(std::map<std::string, std::deque<std::string>> answers) : answers_{std::move(answers)} {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  std::size_t asked(const std::string& what) {
    const std::lock_guard lock{mutex_};
    return asked_[what];
  }

private:
  void serve(peer& from) {
    for (auto request = from.request(); !request.empty(); request = from.request())
      if (const auto answer = next(request.substr(0, request.find_first_of("? ", request.find('/'))));
          answer.empty() || !from.send(answer))
        return;
  }

  std::string next(const std::string& what) {
    const std::lock_guard lock{mutex_};
    ++asked_[what];
    auto& left = answers_[what];
    if (left.empty())
      return http("{}", "404 Not Found");
    auto answer = left.front();
    if (left.size() > 1)
      left.pop_front();
    return answer;
  }

  std::mutex mutex_;
  std::map<std::string, std::deque<std::string>> answers_;
  std::map<std::string, std::size_t> asked_;
  scripted_agent server_{[this](peer& from) { serve(from); }}; // last: it uses the other members
};

std::string accepted(const std::string& job) {
  return "HTTP/1.1 202 Accepted\r\nX-Guest-Job-ID: " + job + "\r\nContent-Length: 0\r\n\r\n";
}

const std::string complete = http(R"({"Status":"Complete"})"), running = http(R"({"Status":"Running"})");
const std::string two = R"([{"id":"a","state":"running","power":{"order":2}},{"id":"b","state":"running"}])";

run_result stop_guests(const troubled_agent& at, const std::string& within) {
  return run_agent({"stop-guests", "--agent", at.url(), "--within", within});
}

} // namespace

TEST_CASE("stop-guests goes on waiting for a guest while the agent is in trouble, restarts or talks nonsense") {
  troubled_agent agent{
    {{"GET /guests", {http(two)}},
     {"POST /guests/a/shutdown", {accepted("1")}},
     {"POST /guests/b/shutdown", {accepted("2")}},
     {"GET /jobs/1", {running, "", http("{}", "503 Service Unavailable"), http("{"), http("{}"), complete}},
     {"GET /jobs/2", {complete}}}};
  CHECK(stop_guests(agent, "60").code == 0);
  CHECK(agent.asked("GET /jobs/1") == 6);
  CHECK(agent.asked("POST /guests/a/shutdown") == 1);
  CHECK(agent.asked("GET /jobs/2") == 1);
}

TEST_CASE(
  "stop-guests waits for no guest beyond its time, nor for a job that is not there, and shuts the others down") {
  troubled_agent agent{{{"GET /guests", {http(two)}},
                        {"POST /guests/a/shutdown", {accepted("1")}},
                        {"POST /guests/b/shutdown", {accepted("2")}},
                        {"GET /jobs/1", {http("{", "500 Internal Server Error")}},
                        {"GET /jobs/2", {complete}}}};
  CHECK(stop_guests(agent, "1").code == 1);
  CHECK(agent.asked("POST /guests/b/shutdown") == 1);
  troubled_agent forgetful{{{"GET /guests", {http(two)}},
                            {"POST /guests/a/shutdown", {accepted("1")}},
                            {"POST /guests/b/shutdown", {accepted("2")}},
                            {"GET /jobs/2", {complete}}}};
  CHECK(stop_guests(forgetful, "60").code == 1);
  CHECK(forgetful.asked("GET /jobs/1") == 1);
  CHECK(forgetful.asked("GET /jobs/2") == 1);
}

TEST_CASE("stop-guests shuts down the guests that it can read") {
  troubled_agent agent{
    {{"GET /guests", {http(R"([{"id":"x","state":"running","cpu":"many"},{"id":"b","state":"running"}])")}},
     {"POST /guests/b/shutdown", {accepted("2")}},
     {"GET /jobs/2", {complete}}}};
  CHECK(stop_guests(agent, "60").code == 1);
  CHECK(agent.asked("GET /jobs/2") == 1);
}
