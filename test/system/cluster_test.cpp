#include "house.hpp"
#include "test/etcd/real_etcd.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

using namespace mistify::test;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

const std::string id = "11111111-1111-4111-8111-111111111111";
const std::string in_host = "/lochness/hypervisors/" + id + '/', in_agent = "/lochness/agents/" + id + '/';

std::string cluster_of(const std::vector<std::string>& urls, const std::string& more = "") {
  std::string list;
  for (const auto& url : urls)
    list += (list.empty() ? "\"" : ",\"") + url + '"';
  return R"({"etcd":[)" + list + R"(],"ip":"127.0.0.1","id":")" + id + R"(","ttl":5)" + more + '}';
}

/// An agent in a cluster.
struct member {
  explicit member(const real_etcd& store, const std::string& more = "")
    : h{[&](config_file& config) { config.top["cluster"] = cluster_of(store.urls(), more); }} {}

  std::string state() const { return text_at(h.http.get("/readyz").body, "cluster/state"); }
  bool becomes(const std::string& state_wanted) const {
    return eventually([&] { return state() == state_wanted; });
  }
  std::string error() const { return text_at(h.http.get("/readyz").body, "cluster/error"); }

  house h;
};

std::string value(const real_etcd& store, const std::string& key) {
  auto text = store.ctl("get --print-value-only " + key);
  while (text.ends_with('\n'))
    text.pop_back();
  return text;
}

bool comes(const real_etcd& store, const std::string& key) {
  return eventually([&] { return !value(store, key).empty(); });
}

bool goes(const real_etcd& store, const std::string& key) {
  return eventually([&] { return value(store, key).empty(); });
}

void put(const real_etcd& store, const std::string& key, const std::string& text) {
  store.ctl("put " + key + " '" + text + "'");
}

std::string placed_here(const std::string& guest) {
  return R"({"id":")" + guest + R"(","hypervisor":")" + id + "\"}";
}

} // namespace

TEST_CASE("an agent registers its host and its guests, and lets the heartbeat go when it stops") {
  const real_etcd store;
  member one{store};
  REQUIRE(one.becomes("joined"));
  CHECK(one.h.http.get("/readyz").status == 200);
  const auto metadata = value(store, in_host + "metadata");
  CHECK(text_at(metadata, "id") == id);
  CHECK(text_at(metadata, "ip") == "127.0.0.1");
  CHECK(text_at(metadata, "netmask") == "255.0.0.0");
  CHECK(std::stoull(at(metadata, "total_resources/memory")) > 0);
  CHECK(std::stoull(at(metadata, "total_resources/cpu")) > 0);
  CHECK_FALSE(value(store, in_host + "heartbeat").empty());

  const auto guest = one.h.create_guest(R"("memory":64,"cpu":1)");
  REQUIRE(comes(store, in_agent + "guests/" + guest));
  CHECK(eventually([&] { return text_at(value(store, in_agent + "guests/" + guest), "job").size() == 36; }));
  CHECK(value(store, in_host + "guests/" + guest).empty());
  const auto placed = one.h.create_guest();
  put(store, "/lochness/guests/" + placed + "/metadata", placed_here(placed));

  CHECK_THAT(one.h.http.get("/metrics").body, Contains("mistify_cluster_state{state=\"joined\"} 1"));
  CHECK_THAT(one.h.http.get("/debug/actors").body, Contains("\"cluster\""));

  CHECK(one.h.agent.stop() == 0);
  CHECK(value(store, in_host + "heartbeat").empty());
  CHECK(value(store, in_agent + "owner").empty());
  CHECK_FALSE(value(store, in_host + "metadata").empty());
  CHECK_FALSE(value(store, in_agent + "guests/" + guest).empty());

  one.h.agent.start();
  REQUIRE(one.becomes("joined"));
  CHECK(value(store, in_host + "guests/" + placed) == placed);
  CHECK(comes(store, in_host + "heartbeat"));
  one.h.http.del("/guests/" + placed);
  CHECK(goes(store, in_host + "guests/" + placed));
  CHECK(goes(store, in_agent + "guests/" + placed));
}

TEST_CASE("a host leaves the cluster when it is told, and not while guests live") {
  const real_etcd store;
  put(store, "/lochness/hypervisors/other/metadata", "x");
  member one{store};
  REQUIRE(one.becomes("joined"));
  const auto guest = one.h.create_guest();
  REQUIRE(comes(store, in_agent + "guests/" + guest));
  const auto refused = one.h.http.post("/host/leave", "");
  CHECK(refused.status == 409);
  CHECK_THAT(refused.body, Contains("1 guests live here"));
  CHECK(one.h.http.post("/host/leave", R"({"forced":true})").status == 400);
  CHECK(one.h.http.post("/host/leave?why=not", "").status == 400);
  CHECK(one.h.http.post("/host/leave", R"({"force":true})").status == 200);
  CHECK(store.ctl("get --keys-only --prefix /lochness") == "/lochness/hypervisors/other/metadata\n\n");
  CHECK(one.state() == "left");
  one.h.create_guest();
  std::this_thread::sleep_for(2s);
  CHECK(value(store, in_host + "metadata").empty());
  CHECK(one.h.agent.stop() == 0);
  one.h.agent.start();
  CHECK(one.becomes("joined"));

  const house alone;
  CHECK(alone.http.post("/host/leave", "").status == 404);
  CHECK_THAT(alone.http.get("/readyz").body, !Contains("cluster"));
}

TEST_CASE("a second agent with the same id refuses to register, and takes over when the first is gone") {
  const real_etcd store;
  std::optional<member> one{std::in_place, store};
  REQUIRE(one->becomes("joined"));
  const auto owner = value(store, in_agent + "owner");
  const member two{store};
  REQUIRE(two.becomes("refused"));
  CHECK(two.h.http.get("/readyz").status == 200);
  CHECK_THAT(two.error(), Contains("another agent is registered as " + id));
  CHECK(two.h.http.post("/host/leave", "").status == 409);
  CHECK(value(store, in_agent + "owner") == owner);
  CHECK(one->state() == "joined");
  one->h.agent.running().signal(SIGKILL);
  CHECK(two.becomes("joined"));
  CHECK(value(store, in_agent + "owner") != owner);
}

TEST_CASE("after a crash the agent takes its registration over at once") {
  const real_etcd store;
  member one{store};
  REQUIRE(one.becomes("joined"));
  one.h.agent.kill_and_start();
  const auto begin = std::chrono::steady_clock::now();
  CHECK(one.becomes("joined"));
  CHECK(std::chrono::steady_clock::now() - begin < 4s); // less than the TTL of what was left behind
}

TEST_CASE("the registration outlives the death of etcd's leader, and of all its members") {
  real_etcd store{{.members = 3}};
  member one{store};
  REQUIRE(one.becomes("joined"));
  store.kill(store.leader());
  const auto guest = one.h.create_guest();
  CHECK(comes(store, in_agent + "guests/" + guest));
  CHECK(one.becomes("joined"));

  for (std::size_t i = 0; i < 3; ++i)
    store.kill(i);
  REQUIRE(one.becomes("away"));
  CHECK_FALSE(one.error().empty());
  CHECK(one.h.http.get("/readyz").status == 200);
  const auto other = one.h.create_guest(); // the agent works on
  store.start_all();
  REQUIRE(one.becomes("joined"));
  CHECK(comes(store, in_agent + "guests/" + other));
  CHECK(comes(store, in_host + "heartbeat"));
}

TEST_CASE("a lost lease, a compaction and a partition are found and mended") {
  const real_etcd store;
  member one{store};
  REQUIRE(one.becomes("joined"));

  // The lease is revoked by somebody.
  const auto leases = store.ctl("lease list");
  store.ctl("lease revoke " + leases.substr(leases.find('\n') + 1, leases.rfind('\n') - leases.find('\n') - 1));
  CHECK(comes(store, in_host + "heartbeat"));
  CHECK(one.becomes("joined"));

  // Nothing answers for longer than the TTL; meanwhile the history is compacted.
  store.freeze(0);
  REQUIRE(one.becomes("away"));
  std::this_thread::sleep_for(5s);
  store.thaw(0);
  CHECK(one.becomes("joined"));
  for (int i = 0; i < 5; ++i)
    put(store, "/elsewhere", std::to_string(i));
  const auto status = store.ctl("endpoint status -w json");
  const auto begin = status.find("\"revision\":") + 11;
  store.ctl("compact " + status.substr(begin, status.find_first_not_of("0123456789", begin) - begin));
  store.ctl("del " + in_host + "heartbeat");
  CHECK(comes(store, in_host + "heartbeat"));
  CHECK(comes(store, in_agent + "owner"));
}

TEST_CASE("a token of etcd that expired is replaced, and rights below the prefix suffice") {
  const real_etcd store{{.arguments = {"--auth-token-ttl", "2"}}};
  for (const auto* command :
       {"user add root:secret", "user grant-role root root", "user add host:pass", "role add host",
        "role grant-permission --prefix=true host readwrite /lochness/", "user grant-role host host", "auth enable"})
    store.ctl(command);
  member one{store, R"(,"user":"host","password":"pass")"};
  REQUIRE(one.becomes("joined"));
  std::this_thread::sleep_for(6s);
  const auto guest = one.h.create_guest();
  CHECK(eventually([&] {
    return store.ctl("--user root:secret get --print-value-only " + in_agent + "guests/" + guest).size() > 10;
  }));
  CHECK(one.state() == "joined");
  CHECK_THAT(one.h.agent.log(), !Contains("\"pass\"") && !Contains("host:pass"));

  const member wrong{store, R"(,"user":"host","password":"not the right one")"};
  CHECK(eventually([&] { return !wrong.error().empty(); }));
  CHECK(wrong.state() == "joining");
  CHECK_THAT(wrong.h.agent.log(), !Contains("not the right one"));
}

TEST_CASE("values that are not the agent's are left alone and told") {
  const real_etcd store;
  put(store, in_host + "metadata", "{\"id\":\"somebody\"}");
  put(store, in_host + "guests/coming", "coming");
  const member one{store};
  REQUIRE(one.becomes("joined"));
  CHECK(eventually([&] { return one.error() == "left alone: " + in_host + "metadata"; }));
  CHECK(value(store, in_host + "metadata") == "{\"id\":\"somebody\"}");
  CHECK(value(store, in_host + "guests/coming") == "coming");
  CHECK_THAT(one.h.http.get("/metrics").body, Contains("mistify_cluster_left_alone 1"));
}

TEST_CASE("a controller of the original finds the host through etcd's v2 API") {
  const real_etcd store{{.arguments = {"--enable-v2"}}};
  member one{store, R"(,"api":"v2")"};
  REQUIRE(one.becomes("joined"));
  const auto guest = one.h.create_guest();
  const auto v2 = [&](const std::string& key) { return store.fetch("/v2/keys" + key); };
  CHECK(eventually([&] { return v2(in_agent + "guests/" + guest).find("state_reason") != std::string::npos; }));
  CHECK_THAT(v2(in_host + "heartbeat"), Contains("\"ttl\":"));
  CHECK_THAT(v2(in_host + "metadata"), Contains("total_resources") && !Contains("\"ttl\":"));
  CHECK(one.h.agent.stop() == 0);
  CHECK_THAT(v2(in_host + "heartbeat"), Contains("Key not found"));
}

TEST_CASE("an etcd that is away at the start does not hold the agent up") {
  const house h{[](config_file& config) { config.top["cluster"] = cluster_of({"http://127.0.0.1:1"}); }};
  CHECK(eventually([&] { return !text_at(h.http.get("/readyz").body, "cluster/error").empty(); }));
  CHECK(text_at(h.http.get("/readyz").body, "cluster/state") == "joining");
  CHECK(h.http.post("/host/leave", "").status == 503);
  CHECK(h.http.get("/guests").status == 200);
}

TEST_CASE("a cluster that cannot be meant so ends the start with one line") {
  temp_dir dir;
  const auto config = dir.write("a.json", R"({"cluster":{"etcd":["ftp://x"],"ip":"127.0.0.1","id":")" + id + "\"}}");
  const auto ended = run_agent({"-c", config});
  CHECK(ended.code == 1);
  CHECK_THAT(ended.err, Contains("cluster.etcd"));
  CHECK(std::ranges::count(ended.err, '\n') == 1);
}
