#include "command_run.hpp"
#include "fake_etcd.hpp"
#include "test/system/house.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

namespace mistify::test {

using Catch::Contains;
using namespace std::chrono_literals;

namespace {

const std::string one = "11111111-aaaa-4aaa-8aaa-111111111111", two = "11111111-bbbb-4bbb-8bbb-222222222222",
                  three = "33333333-cccc-4ccc-8ccc-333333333333", web = "99999999-dddd-4ddd-8ddd-444444444444";

std::string metadata(const std::string& id, const std::string& ip, unsigned memory) {
  const auto free = std::to_string(memory);
  return R"({"id":")" + id + R"(","ip":")" + ip + R"(","total_resources":{"memory":4096,"disk":900,"cpu":8},)" +
         R"("available_resources":{"memory":)" + free + R"(,"disk":500,"cpu":4}})";
}

std::string in_host(const std::string& id) {
  return "/lochness/hypervisors/" + id + '/';
}

/// Hosts one (an agent of this machine) and two are alive; three is dead.
fake_etcd::keys three_hosts() {
  return {{in_host(one) + "metadata", metadata(one, "127.0.0.1", 1024)},
          {in_host(one) + "heartbeat", "t"},
          {in_host(two) + "metadata", metadata(two, "127.0.0.2", 2048)},
          {in_host(two) + "heartbeat", "t"},
          {in_host(three) + "metadata", metadata(three, "127.0.0.3", 4096)},
          {"/lochness/agents/" + one + "/guests/" + web, R"({"state":"running","state_reason":"user","job":"j1"})"},
          {"/lochness/agents/" + three + "/guests/" + one, R"({"state":"stopped","state_reason":"","job":""})"}};
}

struct fixture {
  fake_etcd store;
  explicit fixture(const fake_etcd::keys& all = three_hosts()) : store{all} {}

  ran run(std::vector<std::string> words, std::uint16_t port = 1) const {
    words.insert(words.begin(), {"--cluster", store.url(), "--port", std::to_string(port)});
    return run_command(words);
  }
};

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

TEST_CASE("The hosts of a cluster are listed with their room, and their agents tell maintenance") {
  const fixture f;
  house h;
  h.http.put("/host/maintenance", R"({"on":true})");
  const auto got = f.run({"hosts"}, h.agent.port());
  CHECK(got.code == 0);
  CHECK(got.err.empty());
  CHECK(got.out ==
        "ID                                    IP         ALIVE  MEMORY  MEMORY_FREE  CPU  CPU_FREE  DISK  DISK_FREE  "
        "GUESTS  MAINTENANCE\n" +
          one + "  127.0.0.1  true   4096    1024         8    4         900   500        1       on\n" + two +
          "  127.0.0.2  true   4096    2048         8    4         900   500        0       -\n" + three +
          "  127.0.0.3  false  4096    4096         8    4         900   500        1       -\n");
  h.http.put("/host/maintenance", R"({"on":false})");
  const auto json = f.run({"hosts", "--as", "json", "--sort", "-memory_free"}, h.agent.port());
  CHECK(text_at(json.out, "0/id") == three);
  CHECK(at(json.out, "0/alive") == "false");
  CHECK(text_at(json.out, "2/maintenance") == "off");
  CHECK(f.run({"hosts", "-o", "ip,guests", "--as", "csv"}).out ==
        "ip,guests\r\n127.0.0.1,1\r\n127.0.0.2,0\r\n127.0.0.3,1\r\n");
}

TEST_CASE("An agent that hangs is not waited for, and one that is not asked for is not asked") {
  fake_agent hanging{[](const std::string&, std::size_t, int) { std::this_thread::sleep_for(3s); }};
  const fixture f;
  CHECK(f.run({"hosts", "-o", "id"}, hanging.port()).code == 0);
  CHECK(hanging.requests().empty());
  const auto begin = std::chrono::steady_clock::now();
  const auto got = f.run({"--token", "secret", "hosts", "-o", "ip,maintenance"}, hanging.port());
  CHECK(std::chrono::steady_clock::now() - begin < 2900ms);
  CHECK_THAT(got.out, Contains("127.0.0.1  -\n"));
  REQUIRE(hanging.requests().size() == 1);
  CHECK(hanging.requests().front().starts_with("GET /readyz "));
  CHECK(header_in(hanging.requests().front(), "Authorization").empty());
}

TEST_CASE("The guests of all hosts are listed without a call to any") {
  const fixture f;
  const auto got = f.run({"list", "--all-hosts"});
  INFO(got.err);
  CHECK(got.code == 0);
  CHECK(got.out == "HOST                                  ID                                    STATE    STATE_REASON  "
                   "JOB  HOST_ALIVE\n" +
                     one + "  " + web + "  running  user          j1   true\n" + three + "  " + one +
                     "  stopped                     false\n");
  CHECK(count(f.run({"list", "--all-hosts", "--state", "stopped", "--as", "json"}).out) == 1);
  CHECK(count(f.run({"list", "--all-hosts", "--limit", "1", "--as", "json"}).out) == 1);
  CHECK(f.run({"list", "--all-hosts", "--name", "x"}).code == 2);
  CHECK(f.run({"list", "--all-hosts", "--host", one}).code == 2);
}

TEST_CASE("A command goes to the host that is named by its id, a prefix or its ip, with the token") {
  fake_agent agent{[](const std::string&, std::size_t, int fd) { send_all(fd, answer_text("[]")); }};
  const fixture f;
  for (const auto& name : {one, std::string{"11111111-A"}, std::string{"127.0.0.1"}}) {
    const auto got = f.run({"--host", name, "--token", "secret", "list"}, agent.port());
    INFO(name << ": " << got.err);
    CHECK(got.code == 0);
  }
  REQUIRE(agent.requests().size() == 3);
  for (const auto& request : agent.requests()) {
    CHECK(request.starts_with("GET /guests"));
    CHECK(header_in(request, "Authorization") == "Bearer secret");
    CHECK(header_in(request, "Host") == "127.0.0.1:" + std::to_string(agent.port()));
  }
  for (const auto& request : f.store.requests())
    CHECK(request.find("secret") == std::string::npos);
  const auto by_environment = run_command({"list", "--port", std::to_string(agent.port())},
                                          {{"MISTIFY_CLUSTER", f.store.url()}, {"MISTIFY_HOST", one}});
  CHECK(by_environment.code == 0);
  const auto by_url = f.run({"-H", agent.url(), "list"}); // a URL needs no cluster
  CHECK(by_url.code == 0);
  const auto tls = f.run({"--tls", "--host", one, "list"}, agent.port());
  CHECK(tls.code == 5);
  CHECK_THAT(tls.err, Contains("https://127.0.0.1:"));
}

TEST_CASE("A host that is not in the cluster is exit 3, a name of several is exit 2") {
  const fixture f;
  const auto several = f.run({"--host", "1111", "list"});
  CHECK(several.code == 2);
  CHECK_THAT(several.err, Contains(one + " (127.0.0.1)") && Contains(two + " (127.0.0.2)"));
  for (const auto* name : {"nobody", "127.0.0.9", "99999999-dddd-4ddd-8ddd-444444444444"}) {
    const auto got = f.run({"--host", name, "list"});
    CHECK(got.code == 3);
    CHECK(got.out.empty());
    CHECK(lines_in(got.err) == 2);
  }
  CHECK(f.run({"--host", three, "list"}).code == 5); // it is there, and dead
}

TEST_CASE("place names the hosts that fit, the best first, and is exit 4 where none does") {
  const fixture f;
  const auto got = f.run({"place", "--memory", "512", "--cpu", "2", "--disk", "100"});
  CHECK(got.code == 0);
  CHECK(got.out == "ID                                    IP         MEMORY_LEFT  CPU_LEFT  DISK_LEFT\n" + two +
                     "  127.0.0.2  1536         2         400\n" + one + "  127.0.0.1  512          2         400\n");
  CHECK(f.run({"place", "--memory", "900", "--count", "3", "-o", "ip", "--as", "csv"}).out ==
        "ip\r\n127.0.0.2\r\n127.0.0.2\r\n127.0.0.1\r\n");
  const auto none = f.run({"place", "--memory", "4000"});
  CHECK(none.code == 4);
  CHECK(none.out.empty());
  CHECK_THAT(none.err, Contains("4000 MB of memory"));
  const auto some = f.run({"place", "--memory", "900", "--count", "4"});
  CHECK(some.code == 4);
  CHECK(some.out.empty());
  CHECK_THAT(some.err, Contains("3 of 4"));
  CHECK(f.run({"place", "--cpu", "1"}).code == 2);
  CHECK(f.run({"place", "--memory", "x"}).code == 2);
  CHECK(f.run({"place", "--memory", "1", "--count", "0"}).code == 2);
}

TEST_CASE("A drain begins maintenance, lists what runs, and waits until nothing does") {
  const fixture f;
  house h;
  const auto guest = h.create_guest(R"("name":"web")");
  const auto idle = h.create_guest(R"("name":"idle")");
  CHECK(h.http.put("/guests/" + guest + "/state", R"({"state":"running"})").status == 200);
  CHECK(h.http.put("/guests/" + idle + "/state", R"({"state":"shutdown"})").status == 200);
  const auto listed = f.run({"--host", one, "host", "drain", "--reason", "a disk", "-o", "name,state"}, h.agent.port());
  INFO(listed.err);
  CHECK(listed.code == 0);
  CHECK(listed.out == "NAME  STATE\nweb   running\n");
  CHECK(text_at(h.http.get("/readyz").body, "maintenance/reason") == "a disk");
  const auto late = f.run({"--host", one, "host", "drain", "--wait", "--within", "1"}, h.agent.port());
  CHECK(late.code == 1);
  CHECK_THAT(late.err, Contains("1 guest still runs after 1 s"));
  CHECK(f.run({"--host", one, "host", "drain", "--within", "1"}, h.agent.port()).code == 2);
  terminal waiting{
    {MISTIFY_BINARY, "-H", "http://127.0.0.1:" + std::to_string(h.agent.port()), "host", "drain", "--wait"}};
  CHECK(waiting.shows("1 guest still runs"));
  h.http.put("/guests/" + guest + "/state", R"({"state":"stopped"})");
  CHECK(waiting.ends() == 0);
  CHECK(f.run({"--host", one, "host", "leave"}, h.agent.port()).code == 4); // this agent has no cluster
}

TEST_CASE("Broken and foreign values are left out and told, and the rest is shown") {
  auto keys = three_hosts();
  keys[in_host(two) + "metadata"] = "\x1b[31m no JSON";
  keys[in_host("evil\x1b]0;x\x07") + "metadata"] = "{}";
  keys["/lochness/agents/" + one + "/guests/" + two] = R"({"state":"\u001b[31m","state_reason":"","job":""})";
  keys["/lochness/hypervisors/" + three + "/config/x"] = "y";
  const fixture f{keys};
  const auto got = f.run({"hosts", "-o", "id"});
  CHECK(got.code == 0);
  CHECK(got.out == "ID\n" + one + "\n" + three + "\n");
  CHECK(lines_in(got.err) == 2);
  CHECK_THAT(got.err, Contains("left out: /lochness/hypervisors/" + two + "/metadata: "));
  const auto guests = f.run({"list", "--all-hosts"});
  for (const auto& text : {got.err, guests.out, guests.err})
    CHECK(text.find('\x1b') == std::string::npos);
  const auto broken = f.run({"--host", two, "list"});
  CHECK(broken.code == 3);
  CHECK_THAT(broken.err, Contains("left out"));
}

TEST_CASE("Many broken keys are told in three lines") {
  fake_etcd::keys keys;
  for (int i = 0; i < 9; ++i)
    keys[in_host("x" + std::to_string(i)) + "metadata"] = "{}";
  const auto got = fixture{keys}.run({"hosts"});
  CHECK(got.code == 0);
  CHECK(lines_in(got.err) == 3);
  CHECK_THAT(got.err, Contains("7 more keys"));
}

TEST_CASE("What is no etcd, or none at all, is exit 5, and wrong options are exit 2") {
  fake_agent odd{[](const std::string& request, std::size_t, int fd) {
    send_all(fd, answer_text(request.find("kv/range") != std::string::npos ? R"({"kvs":[{"key":"%%"}]})" : "{}"));
  }};
  fake_agent failing{[](const std::string&, std::size_t, int fd) {
    send_all(fd, answer_text(R"({"error":"no leader"})", "503 Service Unavailable"));
  }};
  fake_agent denying{[](const std::string&, std::size_t, int fd) {
    send_all(fd, answer_text(R"({"error":"etcdserver: permission denied"})", "403 Forbidden"));
  }};
  const fixture f;
  const std::vector<std::pair<std::vector<std::string>, int>> cases{
    {{"--cluster", "http://127.0.0.1:1", "hosts"}, 5},
    {{"--cluster", odd.url(), "hosts"}, 5},
    {{"--cluster", failing.url(), "hosts"}, 5},
    {{"--cluster", denying.url(), "hosts"}, 4},
    {{"--cluster", "http://127.0.0.1:1," + failing.url() + "," + f.store.url(), "hosts", "-o", "id"}, 0},
    {{"--cluster", f.store.url(), "--cluster-api", "v2", "hosts"}, 5},
    {{"--cluster", f.store.url(), "--prefix", "/other", "hosts"}, 0},
    {{"hosts"}, 2},
    {{"list", "--all-hosts"}, 2},
    {{"--host", "x", "list"}, 2},
    {{"--cluster", "unix:/x", "hosts"}, 2},
    {{"--cluster", "etcd", "hosts"}, 2},
    {{"--cluster", f.store.url(), "--cluster-api", "v4", "hosts"}, 2},
    {{"--cluster", f.store.url(), "--cluster-user", "root", "hosts"}, 2},
    {{"--cluster", f.store.url(), "--prefix", "x/", "hosts"}, 2},
    {{"--cluster", f.store.url(), "--port", "0", "hosts"}, 2}};
  for (const auto& [words, code] : cases) {
    const auto got = run_command(words);
    INFO(words.front() << " " << words.back() << ": " << got.err);
    CHECK(got.code == code);
    CHECK(lines_in(got.err) <= 3);
    CHECK(got.err.empty() == (code == 0));
  }
}

TEST_CASE("Completion offers the hosts of the cluster, and is quick while etcd hangs") {
  const fixture f;
  CHECK(run_command({"--complete", "--cluster", f.store.url(), "--host", "11"}).out == one + "\n" + two + "\n");
  CHECK(run_command({"--complete", "list", "--host", "127"}, {{"MISTIFY_CLUSTER", f.store.url()}}).out ==
        "127.0.0.1\n127.0.0.2\n127.0.0.3\n");
  CHECK(run_command({"--complete", "--host", ""}).out.empty());
  CHECK(run_command({"--complete", "pla"}).out == "place\n");
  CHECK(run_command({"--complete", "host", "dr"}).out == "drain\n");
  fake_agent hanging{[](const std::string&, std::size_t, int) { std::this_thread::sleep_for(3s); }};
  const auto begin = std::chrono::steady_clock::now();
  const auto got = run_command({"--complete", "--cluster", hanging.url(), "--host", ""});
  CHECK(std::chrono::steady_clock::now() - begin < 1500ms); // a second, and a machine under load
  CHECK(got.code == 0);
  CHECK(got.out.empty());
  CHECK(got.err.empty());
}

} // namespace mistify::test
