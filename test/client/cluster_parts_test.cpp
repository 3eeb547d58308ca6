#include "fake_agent.hpp"
#include "http/cli/mistify/cluster/choice.hpp"
#include "http/cli/mistify/cluster/maintenance.hpp"
#include "http/cli/mistify/cluster/state.hpp"
#include "http/cli/mistify/exit_status.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <sys/socket.h>

namespace mistify::test {

using namespace cli;
using Catch::Contains;
using rpc::etcd::entry;

namespace {

const std::string one = "11111111-aaaa-4aaa-8aaa-111111111111", two = "11111111-bbbb-4bbb-8bbb-222222222222",
                  three = "33333333-cccc-4ccc-8ccc-333333333333", guest = "99999999-dddd-4ddd-8ddd-444444444444";

std::string metadata(const std::string& id, const std::string& ip = "10.0.0.1") {
  return R"({"id":")" + id + R"(","metadata":{"rack":"1"},"ip":")" + ip +
         R"(","netmask":"255.0.0.0","total_resources":{"memory":1024,"disk":500,"cpu":4},)" +
         R"("available_resources":{"memory":512,"disk":100,"cpu":2}})";
}

cluster_state read(const std::vector<std::pair<std::string, std::string>>& keys) {
  std::vector<entry> all;
  for (const auto& [key, value] : keys)
    all.push_back({"/lochness/" + key, value});
  return read_state("/lochness", all);
}

cluster_host host_of(const std::string& id, const std::string& ip, room available, bool alive = true) {
  return {id, ip, alive, {1000, 10, 1000}, available, 0};
}

std::vector<std::string> ids_of(const std::vector<placement>& all) {
  std::vector<std::string> ids;
  for (const auto& p : all)
    ids.push_back(p.host->id);
  return ids;
}

status status_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const give_up& e) {
    return e.with();
  }
  return status::done;
}

} // namespace

TEST_CASE("A host of the cluster is read from its metadata, its heartbeat and its agent's guests") {
  const auto state =
    read({{"agents/" + one + "/guests/" + guest, R"({"state":"running","state_reason":"user","job":"j"})"},
          {"agents/" + one + "/owner", R"({"instance":"x","since":"y"})"},
          {"hypervisors/" + one + "/metadata", metadata(one)},
          {"hypervisors/" + one + "/heartbeat", "any text"},
          {"hypervisors/" + one + "/guests/" + guest, guest},
          {"hypervisors/" + one + "/config/guestDiskDir", "/x"},
          {"hypervisors/" + two + "/metadata", metadata(two, "fe80::1")}});
  CHECK(state.left_out.empty());
  REQUIRE(state.hosts.size() == 2);
  const auto& host = state.hosts.front();
  CHECK(host.id == one);
  CHECK(host.ip == "10.0.0.1");
  CHECK(host.alive);
  CHECK(host.total == room{1024, 4, 500});
  CHECK(host.available == room{512, 2, 100});
  CHECK(host.guests == 1);
  CHECK_FALSE(state.hosts.back().alive);
  CHECK(state.hosts.back().ip == "fe80::1");
  REQUIRE(state.guests.size() == 1);
  CHECK(state.guests.front().host == one);
  CHECK(state.guests.front().id == guest);
  CHECK(state.guests.front().state == "running");
  CHECK(state.guests.front().reason == "user");
  CHECK(state.guests.front().job == "j");
  CHECK(state.guests.front().host_alive);
}

TEST_CASE("A host's id counts in any case, once") {
  const std::string upper = "33333333-CCCC-4CCC-8CCC-333333333333";
  const auto state = read({{"hypervisors/" + upper + "/metadata", metadata(three)},
                           {"hypervisors/" + three + "/heartbeat", "t"},
                           {"hypervisors/" + three + "/metadata", metadata(three)}});
  REQUIRE(state.hosts.size() == 1);
  CHECK(state.hosts.front().id == three);
  CHECK(state.hosts.front().alive);
  CHECK(state.left_out.size() == 1);
}

TEST_CASE("Values that no agent can have written are left out, each with its reason") {
  const auto with = [&](const std::string& from, const std::string& to) {
    auto text = metadata(one);
    return text.replace(text.find(from), from.size(), to);
  };
  const std::vector<std::pair<std::string, std::string>> cases{
    {"", "JSON"},
    {"no JSON", "JSON"},
    {"[]", "no object"},
    {"{}", "id is no text"},
    {metadata(two), "another host's"},
    {with("10.0.0.1", "10.0.0.1 -oProxy"), "no address"},
    {with("10.0.0.1", "evil.example"), "no address"},
    {with(R"("10.0.0.1")", "7"), "ip is no text"},
    {with(R"("memory":512)", R"("memory":-1)"), "memory"},
    {with(R"("memory":512)", R"("memory":1.5)"), "memory"},
    {with(R"("memory":512)", R"("memory":"512")"), "memory is no number"},
    {with(R"("memory":512)", R"("memory":18446744073709551616)"), "memory"},
    {with(R"("total_resources":{)", R"("total_resources":[],"x":{)"), "total_resources is no object"},
    {with("rack", std::string(70'000, 'r')), "too long"},
    {std::string(300, '[') + std::string(300, ']'), "nest"}};
  for (const auto& [value, why] : cases) {
    const auto state =
      read({{"hypervisors/" + one + "/metadata", value}, {"hypervisors/" + two + "/metadata", metadata(two)}});
    INFO(value.substr(0, 200));
    REQUIRE(state.left_out.size() == 1);
    CHECK_THAT(state.left_out.front(), Contains("/lochness/hypervisors/" + one + "/metadata: "));
    if (why != "JSON" && why != "nest")
      CHECK_THAT(state.left_out.front(), Contains(why));
    CHECK(state.hosts.size() == 1); // the other one is there
  }
  const auto guests = read({{"agents/" + one + "/guests/" + guest, R"({"state":7})"},
                            {"agents/" + one + "/guests/../../x", "{}"},
                            {"agents/" + one + "/guests/web", R"({"state":"running","state_reason":"","job":""})"},
                            {"hypervisors/no-uuid/metadata", metadata("no-uuid")}});
  CHECK(guests.guests.empty());
  CHECK(guests.hosts.empty());
  CHECK(guests.left_out.size() == 3);
  const auto long_key = read({{"hypervisors/" + std::string(50'000, 'x') + "/metadata", "{}"}});
  REQUIRE(long_key.left_out.size() == 1);
  CHECK(long_key.left_out.front().size() < 200);
}

TEST_CASE("An answer of /readyz that is too long is none") {
  const fake_agent agent{[](const std::string&, std::size_t before, int fd) {
    const auto text = answer_text(R"({"status":"ok","maintenance":{"on":true},"x":")" +
                                  std::string(before == 0 ? 60'000 : 70'000, 'x') + R"("})");
    ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  }};
  client::settings how;
  how.agent = client::parse_address(agent.url());
  CHECK(ask_for_maintenance({how}).front() == true);
  CHECK(ask_for_maintenance({how}).front() == std::nullopt);
}

TEST_CASE("A name is a whole id, an ip or a prefix of an id that fits one host only") {
  const std::vector<cluster_host> hosts{host_of(one, "10.0.0.1", {}), host_of(two, "10.0.0.17", {}),
                                        host_of(three, "10.0.0.3", {}), host_of(guest, "10.0.0.3", {})};
  CHECK(find_host(hosts, one).id == one);
  CHECK(find_host(hosts, "11111111-BBBB").id == two);
  CHECK(find_host(hosts, "3").id == three);
  CHECK(find_host(hosts, "10.0.0.1").id == one); // an ip is no prefix
  CHECK(status_of([&] { find_host(hosts, "1111"); }) == status::usage);
  CHECK(status_of([&] { find_host(hosts, "10.0.0.3"); }) == status::usage); // two say that they have it
  CHECK(status_of([&] { find_host(hosts, "10.0.0"); }) == status::absent);
  CHECK(status_of([&] { find_host(hosts, one + "1"); }) == status::absent);
  CHECK(status_of([&] { find_host({}, "x"); }) == status::absent);
}

TEST_CASE("The best host has the most memory left, then processors, then disk") {
  const std::vector<cluster_host> hosts{host_of(one, "10.0.0.1", {512, 2, 100}), host_of(two, "10.0.0.2", {512, 4, 50}),
                                        host_of(three, "10.0.0.3", {600, 2, 100}),
                                        host_of(guest, "10.0.0.4", {9000, 90, 9000}, false)};
  CHECK(ids_of(hosts_that_fit(hosts, {512, 1, 0})) == std::vector{three, two, one});
  CHECK(hosts_that_fit(hosts, {512, 1, 0}).front().left == room{88, 1, 100});
  CHECK(ids_of(hosts_that_fit(hosts, {512, 3, 0})) == std::vector{two});
  CHECK(ids_of(hosts_that_fit(hosts, {1, 1, 51})) == std::vector{three, one});
  CHECK(hosts_that_fit(hosts, {601, 0, 0}).empty());
  CHECK(ids_of(hosts_that_fit({host_of(two, "", {5, 5, 5}), host_of(one, "", {5, 5, 5})}, {5, 0, 0})) ==
        std::vector{one, two}); // no order of the list
}

TEST_CASE("Several guests are placed one after the other, and each takes its room") {
  const std::vector<cluster_host> hosts{host_of(one, "10.0.0.1", {520, 4, 0}), host_of(two, "10.0.0.2", {300, 4, 0})};
  const auto placed = place_guests(hosts, {200, 1, 0}, 3);
  CHECK(ids_of(placed) == std::vector{one, one, two});
  CHECK(placed[0].left.memory == 320);
  CHECK(placed[1].left.memory == 120);
  CHECK(placed[2].host == &hosts[1]);
  CHECK(place_guests(hosts, {200, 1, 0}, 9).size() == 3);
  CHECK(place_guests({}, {1, 0, 0}, 1).empty());
}

TEST_CASE("Maintenance is what an agent's readiness says of it") {
  CHECK(read_maintenance(R"({"status":"ready","maintenance":{"on":true,"reason":"x"}})") == true);
  CHECK(read_maintenance(R"({"status":"not ready"})") == false);
  for (const auto* other :
       {"", "[]", "{}", "<html>", R"({"status":1})", R"({"status":"ready","maintenance":{"on":"yes"}})"})
    CHECK(read_maintenance(other) == std::nullopt);
}

} // namespace mistify::test
