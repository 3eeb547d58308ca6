#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;
using Catch::Contains;

namespace {

constexpr auto host_stages =
  R"({"service":"test","method":"Test.HostInfo"},{"service":"test","method":"Test.StoreInfo"})";

/// A host of 1000 MB and 4 processors with a store of 5000 MB.
struct sized_house : house {
  explicit sized_house(const std::string& host = R"({"cpu_ratio":1})", const std::string& more = {})
    : house{[&](config_file& c) {
        c.stages("hostInfo", host_stages);
        if (!host.empty())
          c.top["host"] = host;
        if (!more.empty())
          c.top["limits"] = more;
      }} {
    answer_as_host();
    agent.kill_and_start(); // which asks the host anew
  }

  void answer_as_host() {
    sub.on("Test.HostInfo", [](const call& asked) {
      return result(asked, R"({"host":{"cpu":{"count":4,"threads":2,"model":"m","numa":[]},
        "memory":{"total":1000,"free":900,"huge_pages":[]}}})");
    });
    sub.on("Test.StoreInfo",
           [](const call& asked) { return result(asked, R"({"stores":[{"name":"pool","total":5000,"free":4000}]})"); });
    const auto turned = [](const char* state) {
      return [state](const call& asked) {
        auto guest = asked.params.substr(asked.params.find("\"guest\":") + 8);
        guest = guest.substr(0, guest.find(",\"action\""));
        const auto at = guest.find("\"state\":\"") + 9;
        guest.replace(at, guest.find('"', at) - at, state);
        return result(asked, R"({"guest":)" + guest + "}");
      };
    };
    sub.on("Test.Create", turned("shutoff"));
    sub.on("Test.Start", turned("running"));
    sub.on("Test.Poweroff", turned("shutoff"));
  }
};

} // namespace

TEST_CASE("GET /host shows the host and what guests take of it") {
  sized_house h;
  const auto id = h.create_guest(R"("memory":300,"cpu":2,"disks":[{"size":700}])");
  h.create_guest(R"("memory":100,"cpu":1)");
  CHECK(h.outcome(h.http.post("/guests/" + id + "/start").job()) == "Complete");
  const auto host = h.http.get("/host");
  REQUIRE(host.status == 200);
  CHECK_THAT(host.body, Contains(R"("cpu":{"count":4,"threads":2,"model":"m","numa":[]})"));
  CHECK_THAT(host.body,
             Contains(R"("memory":{"total":1000,"free":900,"allocated":300,"promised":400,"huge_pages":[]})"));
  CHECK_THAT(host.body, Contains(R"("stores":[{"name":"pool","total":5000,"free":4000,"promised":700}])"));
  CHECK_THAT(host.body, Contains(R"("guests":{"count":2,"running":1})"));
  CHECK(host.body.find("maintenance") == host.body.npos);
  const auto measured = h.http.get("/metrics").body;
  for (const auto* same :
       {R"(mistify_host_memory_bytes{kind="total"} 1048576000)", R"({kind="free"} 943718400)",
        R"({kind="allocated"} 314572800)", R"({kind="promised"} 419430400)", R"(mistify_host_cpus{kind="total"} 4)",
        R"(mistify_host_disk_bytes{kind="free"} 4194304000)"})
    CHECK_THAT(measured, Contains(same));
  const auto asked = h.sub.calls("Test.HostInfo").size();
  h.http.get("/host");
  CHECK(h.sub.calls("Test.HostInfo").size() == asked); // 5 s have not passed
}

TEST_CASE("creates and starts beyond the host are refused with the numbers, also after kill -9") {
  sized_house h;
  const auto large = h.http.post("/guests", R"({"memory":1001})");
  CHECK(large.status == 409);
  CHECK(error_message(large) == "memory: 1001 MB asked for, 1000 MB left of 1000 MB (0 MB taken)");
  CHECK(large.job().empty());
  CHECK(h.http.post("/guests", R"({"memory":1,"cpu":5})").status == 409);
  CHECK(h.http.post("/guests", R"({"memory":1,"disks":[{"size":3000},{"size":2001}]})").status == 409);
  CHECK(h.http.get("/guests").body == "[]\n");
  const auto one = h.create_guest(R"("memory":600)"), two = h.create_guest(R"("memory":600)");
  CHECK(h.outcome(h.http.post("/guests/" + one + "/start").job()) == "Complete");
  const auto beyond = "memory: 600 MB asked for, 400 MB left of 1000 MB (600 MB taken)";
  CHECK(error_message(h.http.post("/guests/" + two + "/start")) == beyond);
  h.agent.kill_and_start();
  CHECK(error_message(h.http.post("/guests/" + two + "/start")) == beyond);
  CHECK(h.outcome(h.http.post("/guests/" + one + "/poweroff").job()) == "Complete");
  CHECK(h.outcome(h.http.post("/guests/" + two + "/start").job()) == "Complete");
}

TEST_CASE("the agent's own starts are judged as a client's, and the log says why there is none") {
  sized_house h;
  const auto one = h.create_guest(R"("memory":600,"power":{"restart":"on-crash"})");
  const auto two = h.create_guest(R"("memory":600)");
  const auto report = [&](const char* state) {
    return h.http.put("/guests/" + one + "/state", std::string{R"({"state":")"} + state + "\"}").status;
  };
  CHECK(h.outcome(h.http.post("/guests/" + one + "/start").job()) == "Complete");
  CHECK(report("shutoff") == 200); // which gives its room back
  CHECK(h.outcome(h.http.post("/guests/" + two + "/start").job()) == "Complete");
  CHECK(h.http.post("/guests/" + one + "/start").status == 409);
  const auto hibernated = h.http.post("/guests/" + one + "/resume");
  CHECK(error_message(hibernated) == "memory: 600 MB asked for, 400 MB left of 1000 MB (600 MB taken)");
  CHECK(h.outcome(h.http.post("/guests/" + two + "/poweroff").job()) == "Complete");
  CHECK(h.outcome(h.http.post("/guests/" + one + "/start").job()) == "Complete");
  CHECK(report("crashed") == 200);
  CHECK(h.outcome(h.http.post("/guests/" + two + "/start").job()) == "Complete");
  CHECK(
    eventually([&] { return h.agent.log().find("is not started: memory: 600 MB asked for") != std::string::npos; }));
  CHECK(text_at(h.http.get("/guests/" + one).body, "state") == "crashed");
}

TEST_CASE("a host that does not say how large it is admits nothing") {
  sized_house h;
  h.sub.on("Test.HostInfo", [](const call& asked) { return rpc_error(asked, R"("no libvirt")"); });
  h.agent.kill_and_start();
  const auto refused = h.http.post("/guests", R"({"memory":1})");
  CHECK(refused.status == 503);
  CHECK_THAT(error_message(refused), Contains("the size of the host is not known yet") && Contains("no libvirt"));
  CHECK_THAT(h.http.get("/host").body, Contains(R"("age":null,"error":)"));
}

TEST_CASE("maintenance refuses creates and starts with its reason, outlasts a restart, and is no trouble") {
  sized_house h{""};
  const auto id = h.create_guest(R"("memory":1)");
  const auto set = [&](const std::string& body) { return h.http.put("/host/maintenance", body); };
  CHECK(set(R"({"on":true,"reason":"a new disk"})").status == 200);
  h.agent.kill_and_start();
  for (const auto& refused : {h.http.post("/guests", "{}"), h.http.post("/guests/" + id + "/start")}) {
    CHECK(refused.status == 503);
    CHECK(error_message(refused) == "the host is in maintenance: a new disk");
  }
  CHECK(h.http.post("/guests/" + id + "/reboot").status == 202);
  const auto ready = h.http.get("/readyz");
  CHECK(ready.status == 200);
  CHECK_THAT(ready.body, Contains(R"("maintenance":{"on":true,"reason":"a new disk","since":")"));
  CHECK_THAT(h.http.get("/host").body, Contains(R"("maintenance":{"on":true)"));
  for (const auto* wrong :
       {"", "{}", R"({"on":null})", R"({"on":1})", R"({"on":true,"reason":5})", R"({"on":true,"why":"x"})",
        R"({"On":true})", R"({"on":true,"reason":"a\nb"})", R"({"on":true,"on":false})", "[]"}) {
    INFO(wrong);
    CHECK(set(wrong).status == 400);
  }
  CHECK(set(R"({"on":false})").body == "{\"maintenance\":{\"on\":false}}\n");
  CHECK(h.http.post("/guests", "{}").status == 202);
}

TEST_CASE("lists are filtered and paged, and unknown parameters and fields are refused") {
  house h;
  const auto web = h.create_guest(R"("name":"web","labels":{"team":"a","tier":"1"})");
  const auto db = h.create_guest(R"("name":"db","labels":{"team":"a"})");
  CHECK(h.http.get("/guests?name=web&fields=id").body == R"([{"id":")" + web + "\"}]\n");
  CHECK(h.http.get("/guests?label=team=a&label=tier=1&fields=name").body == "[{\"name\":\"web\"}]\n");
  CHECK(h.http.get("/guests?name=db&fields=name,name,name").body == "[{\"name\":\"db\"}]\n");
  const auto first = h.http.get("/guests?limit=1&fields=id");
  CHECK(first.header("x-next") == std::min(web, db));
  const auto last = h.http.get("/guests?limit=1&fields=id&after=" + first.header("x-next"));
  CHECK(last.body == R"([{"id":")" + std::max(web, db) + "\"}]\n");
  CHECK(last.header("x-next").empty());
  for (const auto* wrong : {"color=red", "fields=", "fields=id,colour", "limit=0", "limit=-1", "limit=x", "label=team",
                            "label==a", "name=a&name=b", "Name=web"}) {
    INFO(wrong);
    CHECK(h.http.get(std::string{"/guests?"} + wrong).status == 400);
  }
  CHECK(error_message(h.http.post("/guests", R"({"name":"web"})")) == "the name web is another guest's");
  CHECK(h.http.post("/guests", R"({"name":"a/b"})").status == 400);
}

TEST_CASE("changes with an old ETag are refused with 412") {
  house h;
  const auto id = h.create_guest(R"("memory":1)");
  const auto at = "/guests/" + id;
  const auto tag = h.http.get(at).header("etag");
  REQUIRE(tag.size() == 34);
  const auto rebooted = h.http.send("POST", at + "/reboot", "", {"If-Match: " + tag});
  CHECK(rebooted.status == 202);
  CHECK(rebooted.header("etag") == tag);
  CHECK(h.http.send("PATCH", at + "/metadata", R"({"k":"v"})", {"If-Match: " + tag}).status == 200);
  const auto stale = h.http.send("POST", at + "/reboot", "", {"If-Match: " + tag});
  CHECK(stale.status == 412);
  CHECK(error_message(stale) == "the guest has changed: its ETag is none of If-Match");
  CHECK(h.http.send("DELETE", at, "", {std::string{"If-Match: "} + "\"x\""}).status == 412);
  CHECK(h.http.send("PATCH", at + "/metadata", R"({"k":"w"})", {"If-Match: " + tag}).status == 412);
  const auto none = h.http.send_raw(request_text("DELETE", at, "", {"If-Match: "}));
  CHECK(none.status == 400);
  CHECK(error_message(none) == "If-Match: names no entity tag");
  const auto report = R"({"state":"paused"})";
  CHECK(h.http.send("PUT", at + "/state", report, {"If-Match: " + tag}).status == 412);
  CHECK(h.http.send("DELETE", at, "", {std::string{"If-Match: "} + "*"}).status == 202);
}
