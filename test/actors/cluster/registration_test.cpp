#include "test/actors/cluster/memory_etcd.hpp"

#include "actors/cluster/registration.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace mistify;
using namespace mistify::actors::cluster;
using test::memory_client;
using test::memory_etcd;

namespace {

const std::string host = "11111111-1111-4111-8111-111111111111", other = "22222222-2222-4222-8222-222222222222";
const std::string in_host = "/lochness/hypervisors/" + host + '/', in_agent = "/lochness/agents/" + host + '/';

/// One agent with its own clock.
struct agent {
  memory_etcd& etcd;
  memory_client client{etcd};
  rpc::metrics::registry measured;
  status shown{measured};
  guest_states guests;
  picture is{{1000, 500, 4}, {600, 100, 2}, &guests};
  registration::clock::time_point now{};
  double chance = 1;
  registration made;

  explicit agent(memory_etcd& in, std::string instance = "one")
    : etcd{in}, made{{"/lochness",
                      host,
                      std::move(instance),
                      {"10.0.0.5", "255.255.255.0", "10.0.0.1", "02:00:00:00:00:05"},
                      120s},
                     client,
                     shown,
                     [this] { return chance; }} {}

  /// Lets time pass in small steps, as the registrar does.
  void pass(std::chrono::milliseconds time) {
    const auto end = now + time;
    do {
      made.take(now, client.wait(0ms));
      if (now >= made.due())
        made.step(now, is);
      now += 100ms;
    } while (now < end);
  }
  standing where() const { return shown.read().now; }
  void change_guests() { made.note_change(now); }
};

std::string placed_at(const std::string& id) {
  return R"({"id":"g","hypervisor":")" + id + R"("})";
}

} // namespace

TEST_CASE("a host registers itself: metadata first, then the heartbeat on a lease") {
  memory_etcd etcd;
  agent one{etcd};
  CHECK(one.where() == standing::joining);
  one.pass(0ms);
  CHECK(one.where() == standing::joined);
  CHECK(
    etcd.value(in_host + "metadata") ==
    R"({"id":")" + host +
      R"(","metadata":{},"ip":"10.0.0.5","netmask":"255.255.255.0","gateway":"10.0.0.1","mac":"02:00:00:00:00:05",)"
      R"("total_resources":{"memory":1000,"disk":500,"cpu":4},"available_resources":{"memory":600,"disk":100,"cpu":2}})");
  REQUIRE(etcd.value(in_host + "heartbeat"));
  CHECK(etcd.keys[in_host + "heartbeat"].lease != 0);
  CHECK(etcd.keys[in_agent + "owner"].lease != 0);
  CHECK(etcd.keys[in_host + "metadata"].lease == 0);
  CHECK(etcd.keys[in_host + "metadata"].revision < etcd.keys[in_host + "heartbeat"].revision);
  CHECK(instance_of(*etcd.value(in_agent + "owner")) == "one");
}

TEST_CASE("at rest the lease is kept at a third of its time and nothing is written") {
  memory_etcd etcd;
  agent one{etcd};
  one.pass(1s);
  const auto writes = etcd.writes, kept = etcd.keepalives, lists = etcd.lists;
  one.pass(400s);
  CHECK(etcd.writes == writes);
  CHECK(etcd.lists == lists);
  CHECK(etcd.keepalives - kept >= 9);
  CHECK(etcd.keepalives - kept <= 11);
}

TEST_CASE("hosts that start together do not keep their leases together") {
  std::set<std::int64_t> first;
  for (int i = 0; i <= 10; ++i) {
    memory_etcd etcd;
    agent one{etcd};
    one.chance = i / 10.0;
    one.pass(0ms);
    const auto joined = etcd.keepalives;
    while (etcd.keepalives == joined)
      one.pass(100ms);
    first.insert(std::chrono::duration_cast<std::chrono::seconds>(one.now.time_since_epoch()).count());
  }
  CHECK(first.size() >= 8);
  CHECK(*first.rbegin() <= 40);
}

TEST_CASE("only the resources of the metadata are the agent's; an operator's change stays") {
  memory_etcd etcd;
  agent one{etcd};
  one.pass(1s);
  const auto key = in_host + "metadata";
  etcd.put(key, R"({"id":")" + host +
                  R"(","metadata":{"rack":"7"},"ip":"10.9.9.9","total_resources":{"memory":1},"n":1e3})");
  one.pass(6s);
  CHECK(etcd.value(key) ==
        R"({"id":")" + host +
          R"(","metadata":{"rack":"7"},"ip":"10.9.9.9","n":1e3,"total_resources":{"memory":1000,"disk":500,"cpu":4},)"
          R"("available_resources":{"memory":600,"disk":100,"cpu":2}})");

  // The operator writes between the agent's look and its write.
  one.is.available.memory = 300;
  etcd.before_write = [&] { etcd.put(key, R"({"id":")" + host + R"(","metadata":{"rack":"8"}})"); };
  one.pass(12s);
  CHECK(etcd.value(key)->find(R"("rack":"8")") != std::string::npos);
  CHECK(etcd.value(key)->find(R"("available_resources":{"memory":300,)") != std::string::npos);
  CHECK(one.where() == standing::joined);
}

TEST_CASE("changed capacity is written within five seconds, and at most once a second") {
  memory_etcd etcd;
  agent one{etcd};
  one.pass(10s);
  const auto before = etcd.writes;
  one.is.available = {0, 0, 0};
  one.pass(5100ms);
  CHECK(etcd.writes == before + 1);
  for (unsigned i = 0; i < 100; ++i) {
    one.is.available.memory = i + 1;
    one.change_guests();
    one.pass(100ms);
  }
  CHECK(etcd.writes - before <= 1 + 11);
  CHECK(etcd.writes - before >= 1 + 9);
}

TEST_CASE("a metadata value that is broken or foreign is left alone and told") {
  for (const std::string value : {"", "nonsense", "[]", R"({"id":"someone"})", R"({"id":7})"}) {
    memory_etcd etcd;
    etcd.put(in_host + "metadata", value);
    agent one{etcd};
    one.pass(20s);
    CHECK(etcd.value(in_host + "metadata") == value);
    CHECK(one.where() == standing::joined);
    CHECK(one.shown.read().error == "left alone: " + in_host + "metadata");
    etcd.erase(in_host + "metadata"); // the operator mends it
    one.pass(6s);
    CHECK(has_resources(*etcd.value(in_host + "metadata"), one.is));
    CHECK(one.shown.read().error.empty());
  }
}

TEST_CASE("every guest has a key, and one that the cluster placed here has a second") {
  memory_etcd etcd;
  etcd.put("/lochness/guests/a/metadata", placed_at(host));
  etcd.put("/lochness/guests/b/metadata", placed_at(other));
  etcd.put("/lochness/guests/c/metadata", "broken");
  agent one{etcd};
  one.guests = {{"a", {"running", "", "j1"}}, {"b", {"shutoff", "user", ""}}, {"c", {}}};
  one.pass(2s);
  CHECK(etcd.value(in_agent + "guests/a") == R"({"state":"running","state_reason":"","job":"j1"})");
  CHECK(etcd.value(in_agent + "guests/b") == R"({"state":"shutoff","state_reason":"user","job":""})");
  CHECK(etcd.keys[in_agent + "guests/a"].lease == 0);
  CHECK(etcd.value(in_host + "guests/a") == "a");
  CHECK_FALSE(etcd.value(in_host + "guests/b"));
  CHECK_FALSE(etcd.value(in_host + "guests/c"));

  one.guests.erase("a");
  one.guests["b"].state = "running";
  one.change_guests();
  one.pass(1s);
  CHECK_FALSE(etcd.value(in_agent + "guests/a"));
  CHECK_FALSE(etcd.value(in_host + "guests/a"));
  CHECK(etcd.value(in_agent + "guests/b")->find("running") != std::string::npos);
}

TEST_CASE("a guest that the cluster moved away loses its second key when it is looked at again") {
  memory_etcd etcd;
  etcd.put("/lochness/guests/a/metadata", placed_at(host));
  agent one{etcd};
  one.guests = {{"a", {"running", "", ""}}};
  one.pass(2s);
  REQUIRE(etcd.value(in_host + "guests/a"));
  etcd.put("/lochness/guests/a/metadata", placed_at(other));
  one.pass(110s); // the lease has 120 s
  CHECK_FALSE(etcd.value(in_host + "guests/a"));
  CHECK(etcd.value(in_agent + "guests/a"));
}

TEST_CASE("a guest that the cluster placed here later gets its second key within the lease's time") {
  memory_etcd etcd;
  agent one{etcd};
  one.guests = {{"a", {"running", "", ""}}};
  one.pass(5s);
  CHECK_FALSE(etcd.value(in_host + "guests/a"));
  etcd.put("/lochness/guests/a/metadata", placed_at(host));
  one.pass(110s);
  CHECK(etcd.value(in_host + "guests/a") == "a");
}

TEST_CASE("a placement under way is not the agent's to remove; what it had once is") {
  memory_etcd etcd;
  etcd.put(in_host + "guests/coming", "coming");
  etcd.put(in_host + "guests/old", "old");
  etcd.put(in_agent + "guests/old", R"({"state":"running"})"); // from before a restart
  etcd.put(in_agent + "guests/junk", "?");
  agent one{etcd};
  one.pass(3s);
  CHECK(etcd.value(in_host + "guests/coming") == "coming");
  CHECK_FALSE(etcd.value(in_host + "guests/old"));
  CHECK_FALSE(etcd.value(in_agent + "guests/old"));
  CHECK_FALSE(etcd.value(in_agent + "guests/junk"));
}

TEST_CASE("foreign values of guests' keys are left alone") {
  memory_etcd etcd;
  etcd.put("/lochness/guests/a/metadata", placed_at(host));
  etcd.put(in_host + "guests/a", "not a");
  etcd.put(in_agent + "guests/a", "17");
  agent one{etcd};
  one.guests = {{"a", {"running", "", ""}}};
  one.pass(3s);
  CHECK(etcd.value(in_host + "guests/a") == "not a");
  CHECK(etcd.value(in_agent + "guests/a") == "17");
  CHECK_FALSE(one.shown.read().error.empty());
}

TEST_CASE("a burst of a thousand changes makes at most one write a second and guest") {
  memory_etcd etcd;
  agent one{etcd};
  one.guests = {{"a", {}}, {"b", {}}};
  one.pass(3s);
  const auto before = etcd.writes;
  for (int i = 0; i < 500; ++i) { // ten milliseconds apart, five seconds
    one.guests["a"].job = std::to_string(i);
    one.guests["b"].job = std::to_string(i);
    one.change_guests();
    if (i % 10 == 0)
      one.pass(0ms);
  }
  CHECK(etcd.writes - before <= 2 * 6);
  one.pass(2s);
  CHECK(etcd.value(in_agent + "guests/a")->find("499") != std::string::npos);
}

TEST_CASE("a heartbeat that somebody deleted is back within a third of the TTL") {
  memory_etcd etcd;
  agent one{etcd};
  one.pass(10s);
  etcd.erase(in_host + "heartbeat");
  etcd.erase(in_agent + "owner");
  one.pass(2s);
  CHECK(etcd.value(in_host + "heartbeat"));
  CHECK(etcd.value(in_agent + "owner"));
}

TEST_CASE("a lost lease is found and everything is made true again") {
  memory_etcd etcd;
  agent one{etcd};
  one.pass(10s);
  const auto lease = etcd.keys[in_host + "heartbeat"].lease;
  etcd.end_all_leases();
  one.pass(41s);
  CHECK(one.where() == standing::joined);
  CHECK(etcd.keys[in_host + "heartbeat"].lease != lease);
  CHECK(etcd.keys.contains(in_host + "heartbeat"));
  CHECK(one.shown.lost_leases().value() == 1);
}

TEST_CASE("etcd away: the pauses grow, and on return everything is true again") {
  memory_etcd etcd;
  agent one{etcd};
  one.guests = {{"a", {"running", "", ""}}};
  one.pass(10s);
  etcd.down = true;
  one.guests["a"].state = "shutoff";
  one.change_guests();
  one.pass(5min);
  CHECK(one.where() == standing::away);
  CHECK(one.shown.read().error == "http://etcd:2379: connection refused");
  CHECK(one.shown.failures().value() >= 10);
  CHECK(one.shown.failures().value() <= 18); // 1 + 2 + 4 + 8 + 16 + 30 + 30 …
  etcd.down = false;
  etcd.end_all_leases();
  one.pass(31s);
  CHECK(one.where() == standing::joined);
  CHECK(etcd.value(in_host + "heartbeat"));
  CHECK(etcd.value(in_agent + "guests/a")->find("shutoff") != std::string::npos);

  memory_etcd never;
  never.down = true;
  agent two{never};
  two.pass(5s);
  CHECK(two.where() == standing::joining);
  CHECK_FALSE(two.shown.read().error.empty());
}

TEST_CASE("a compaction costs a list, and nothing is missed") {
  memory_etcd etcd;
  agent one{etcd};
  one.pass(10s);
  etcd.compacted = true;
  etcd.erase(in_host + "heartbeat");
  one.pass(8s);
  CHECK(one.where() == standing::joined);
  CHECK(etcd.value(in_host + "heartbeat"));
  CHECK(one.shown.resyncs().value() == 2);
}

TEST_CASE("an etcd that was emptied gets everything again") {
  memory_etcd etcd;
  agent one{etcd};
  one.pass(10s);
  etcd.keys.clear();
  etcd.leases.clear();
  etcd.log.clear();
  etcd.revision = 1;
  one.pass(45s);
  CHECK(one.where() == standing::joined);
  CHECK(etcd.value(in_host + "metadata"));
  CHECK(etcd.value(in_host + "heartbeat"));
}

TEST_CASE("of two agents with one id the second refuses while the first lives, then takes over") {
  memory_etcd etcd;
  agent one{etcd, "one"}, two{etcd, "two"};
  one.pass(1s);
  const auto before = etcd.writes;
  two.pass(5s);
  CHECK(two.where() == standing::refused);
  CHECK(two.shown.read().error.find("another agent is registered as " + host) == 0);
  CHECK(etcd.writes == before);
  CHECK_THROWS_AS(two.made.leave(two.now), rpc::failure);
  CHECK(etcd.value(in_host + "metadata"));
  one.made.resign();
  CHECK_FALSE(etcd.value(in_host + "heartbeat"));
  CHECK(etcd.value(in_host + "metadata"));
  two.pass(41s);
  CHECK(two.where() == standing::joined);
}

TEST_CASE("after a crash the same database takes over at once") {
  memory_etcd etcd;
  agent before{etcd, "one"};
  before.pass(1s);
  agent after{etcd, "one"};
  after.pass(1s);
  CHECK(after.where() == standing::joined);
  CHECK(after.client.is_ours(etcd.keys[in_host + "heartbeat"]));
  // Were the first one still there, it would give way, and not take it back.
  before.pass(60s);
  CHECK(before.where() == standing::refused);
  CHECK(after.client.is_ours(etcd.keys[in_host + "heartbeat"]));
  CHECK(after.client.is_ours(etcd.keys[in_agent + "owner"]));
}

TEST_CASE("an owner that is nobody's is left alone and told") {
  memory_etcd etcd;
  etcd.put(in_agent + "owner", "{}");
  agent one{etcd};
  one.pass(100s);
  CHECK(one.where() == standing::refused);
  CHECK(etcd.value(in_agent + "owner") == "{}");
  CHECK(one.shown.read().error.find("is not an agent's") != std::string::npos);
  etcd.erase(in_agent + "owner");
  one.pass(41s);
  CHECK(one.where() == standing::joined);
}

TEST_CASE("leaving removes the host's keys and no other, for good") {
  memory_etcd etcd;
  etcd.put("/lochness/hypervisors/" + other + "/metadata", "x");
  agent one{etcd};
  one.guests = {{"a", {"running", "", ""}}};
  one.pass(2s);
  one.made.leave(one.now);
  CHECK(etcd.keys.size() == 1);
  one.change_guests();
  one.pass(10min);
  CHECK(etcd.keys.size() == 1);
  CHECK(one.where() == standing::left);
  etcd.down = true;
  agent two{etcd};
  two.pass(1s);
  CHECK_THROWS_AS(two.made.leave(two.now), rpc::failure);
}

TEST_CASE("a host that leaves half way joins anew, with what the operator wrote") {
  memory_etcd etcd;
  agent one{etcd};
  one.guests = {{"a", {"running", "", ""}}};
  one.pass(2s);
  const auto metadata = R"({"id":")" + host + R"(","metadata":{"rack":"7"},"ip":"10.9.9.9"})";
  for (const auto& keeps : {in_agent, in_host}) {
    etcd.put(in_host + "metadata", metadata);
    etcd.keeps = keeps;
    CHECK_THROWS_AS(one.made.leave(one.now), rpc::failure);
    CHECK(one.where() == standing::away);
    CHECK(etcd.value(in_host + "metadata") == metadata);
    etcd.keeps.clear();
    one.pass(10s);
    CHECK(one.where() == standing::joined);
    CHECK(etcd.value(in_host + "metadata")->find(R"("metadata":{"rack":"7"},"ip":"10.9.9.9")") != std::string::npos);
    CHECK(etcd.value(in_host + "heartbeat"));
    CHECK(etcd.value(in_agent + "owner"));
    CHECK(etcd.value(in_agent + "guests/a"));
  }
  one.made.leave(one.now);
  CHECK(etcd.keys.empty());
}

TEST_CASE("the facts of an address are readable for Lochness even where no interface has it") {
  const auto lo = facts_of_address("127.0.0.1");
  CHECK(lo.netmask == "255.0.0.0");
  CHECK(lo.mac == "00:00:00:00:00:00");
  const auto none = facts_of_address("203.0.113.77");
  CHECK(none.ip == "203.0.113.77");
  CHECK(none.netmask == "255.255.255.255");
  CHECK(none.gateway == "203.0.113.77");
}
