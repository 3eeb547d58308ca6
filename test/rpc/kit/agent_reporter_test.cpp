#include "rpc/kit/agent_reporter.hpp"
#include "rpc/net/unix_socket.hpp"
#include "scripted_agent.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mistify;
using namespace mistify::test;
using rpc::report_result;

namespace {

std::string url_of(std::uint16_t port) {
  return "http://127.0.0.1:" + std::to_string(port);
}

/// An agent that answers with these statuses, one after the other.
struct agent {
  explicit agent(std::vector<std::string> statuses) : answers{std::move(statuses)} {}

  std::vector<std::string> answers;
  std::vector<std::string> requests = {};
  scripted_agent server{[this](peer& p) {
    for (const auto& status : answers) {
      requests.push_back(p.request());
      if (!p.send(http("{}", status)))
        return;
    }
  }};
};

constexpr uid_t nobody = 65534;

/// A process of that user that listens at a unix socket and answers one report.
class listener_of {
public:
  listener_of(uid_t user, const std::string& path) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    if ((id_ = ::fork()) == 0)
      ::_exit(::setgid(user) == 0 && ::setuid(user) == 0 ? serve(path, ready[1]) : 3);
    ::close(ready[1]);
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
  }
  ~listener_of() { ::waitpid(id_, nullptr, 0); }

  /// Whether a byte came. Ends the process.
  bool got_something() {
    int status = 0;
    ::waitpid(id_, &status, 0);
    return status != 0;
  }

private:
  static int serve(const std::string& path, int ready) {
    const auto listening = rpc::unix_listen(path, 0666, {});
    if (::write(ready, "x", 1) != 1 ||
        !rpc::wait_for(listening.get(), POLLIN, rpc::deadline_after(std::chrono::seconds{10})))
      return 3;
    peer from{::accept(listening.get(), nullptr, nullptr)};
    const bool got = !from.request().empty();
    return got && from.send(http("{}")) ? 1 : 0;
  }
  pid_t id_ = -1;
};

} // namespace

TEST_CASE("a report goes to a unix socket of root, the own user and the agent's only") {
  if (::geteuid() != 0) {
    WARN("needs root");
    return;
  }
  const temp_dir folder;
  ::chmod(folder.path().c_str(), 0777);
  const auto path = (folder.path() / "agent.sock").string();
  rpc::agent_address to{"unix:" + path};
  for (const uid_t user : {uid_t{0}, nobody}) {
    listener_of agent{user, path};
    const auto result = rpc::agent_reporter{to, "nothing is lost"}.tell_progress("j", "1 of 3");
    CHECK(result == (user == 0 ? report_result::taken : report_result::away));
    CHECK(agent.got_something() == (user == 0));
    std::filesystem::remove(path);
  }
  to.users = {nobody};
  listener_of agent{nobody, path};
  CHECK(rpc::agent_reporter{to, "nothing is lost"}.tell_progress("j", "1 of 3") == report_result::taken);
}

TEST_CASE("reports are a PUT each, on one connection") {
  agent a{{"200 OK", "200 OK"}};
  rpc::agent_reporter link{url_of(a.server.port()), "nothing is lost"};
  CHECK(link.tell_state("g-1", "shutoff") == report_result::taken);
  CHECK(link.tell_progress("j-1", "1 \"of\" 3") == report_result::taken);
  REQUIRE(a.requests.size() == 2);
  CHECK(a.requests[0].starts_with("PUT /guests/g-1/state HTTP/1.1\r\n"));
  CHECK(a.requests[0].ends_with("\r\n\r\n{\"state\":\"shutoff\"}"));
  CHECK(a.requests[1].starts_with("PUT /jobs/j-1/progress HTTP/1.1\r\n"));
  CHECK(a.requests[1].ends_with("\r\n\r\n{\"message\":\"1 \\\"of\\\" 3\"}"));
  CHECK(a.server.connections() == 1);
}

TEST_CASE("progress is told in figures where they are known") {
  agent a{{"200 OK", "200 OK"}};
  rpc::agent_reporter link{url_of(a.server.port()), "nothing is lost"};
  link.tell_progress("j", "m", {8, 20, "bytes"});
  link.tell_progress("j", "m", {8, {}, "bytes"});
  REQUIRE(a.requests.size() == 2);
  CHECK(a.requests[0].ends_with(R"({"message":"m","done":8,"total":20,"unit":"bytes"})"));
  CHECK(a.requests[1].ends_with(R"({"message":"m","done":8,"unit":"bytes"})"));
}

TEST_CASE("the agent's answer says whether a report is worth another try") {
  agent a{{"409 Conflict", "429 Too Many Requests", "503 Service Unavailable", "404 Not Found", "403 Forbidden"}};
  rpc::agent_reporter link{url_of(a.server.port()), "nothing is lost"};
  for (const auto expected : {report_result::not_now, report_result::not_now, report_result::not_now,
                              report_result::unknown, report_result::refused})
    CHECK(link.tell_progress("j", "1 of 3") == expected);
}

TEST_CASE("an agent that is not there is away") {
  rpc::agent_reporter link{url_of(free_port()), "nothing is lost"};
  CHECK(link.tell_progress("j", "1 of 3") == report_result::away);
}

TEST_CASE("only the URL of an agent is taken") {
  for (const auto* url : {"", "127.0.0.1:8080", "https://host", "http://", "http://host/path", "http://a b",
                          "http://host:", "http://host:80x", "http://host:65536", "http://:80"})
    CHECK_THROWS_AS((rpc::agent_reporter{url, ""}), std::invalid_argument);
  CHECK_NOTHROW(rpc::agent_reporter{"http://127.0.0.1:8080", ""});
}

TEST_CASE("a token from a file goes with each report, and a new one counts at once") {
  const auto file = std::filesystem::temp_directory_path() / ("mistify-token-" + std::to_string(::getpid()));
  std::ofstream{file} << "mst_one\n";
  agent a{{"200 OK", "200 OK"}};
  rpc::agent_reporter link{{url_of(a.server.port()), file.string()}, "nothing is lost"};
  CHECK(link.tell_progress("j", "1 of 3") == report_result::taken);
  std::ofstream{file} << "mst_two\n";
  CHECK(link.tell_progress("j", "2 of 3") == report_result::taken);
  REQUIRE(a.requests.size() == 2);
  CHECK(a.requests[0].find("Authorization: Bearer mst_one\r\n") != std::string::npos);
  CHECK(a.requests[1].find("Authorization: Bearer mst_two\r\n") != std::string::npos);
  std::filesystem::remove(file);
}

TEST_CASE("a token leaves this machine by no URL, and has to be there") {
  const auto file = std::filesystem::temp_directory_path() / ("mistify-token-" + std::to_string(::getpid()));
  std::ofstream{file} << "mst_one";
  for (const auto* url : {"http://192.0.2.1:8080", "http://127.example.net", "http://localhost.example.net:80"})
    CHECK_THROWS_AS((rpc::agent_reporter{{url, file.string()}, ""}), std::invalid_argument);
  for (const auto* url : {"http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080", "unix:/run/a.sock"})
    CHECK_NOTHROW((rpc::agent_reporter{{url, file.string()}, ""}));
  std::ofstream{file} << "two words";
  CHECK_THROWS_AS((rpc::agent_reporter{{"http://127.0.0.1:8080", file.string()}, ""}), std::invalid_argument);
  std::filesystem::remove(file);
  CHECK_THROWS_AS((rpc::agent_reporter{{"http://127.0.0.1:8080", file.string()}, ""}), std::invalid_argument);
}

TEST_CASE("a thread that reports takes no SIGPIPE, also in a program that has not asked to be spared") {
  // When a connection ends between the library's look at it and its write is up to the scheduler: so the mask is looked at.
  std::async(std::launch::async, [] {
    rpc::agent_reporter link{url_of(free_port()), "nothing is lost"};
    CHECK(link.tell_state("g", "shutoff") == report_result::away);
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    CHECK(sigismember(&blocked, SIGPIPE) == 1);
  }).get();
}
