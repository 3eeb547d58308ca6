#include "house.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <semaphore>

// Domains that a hypervisor has already become guests: the agent's part, with a sub-agent that says what it is told.

using namespace mistify::test;
using Catch::Contains;

namespace {

const std::string id = "5d5b6a2e-6f0c-4b8e-9a53-0f4c7d1e2b39", other = "5d5b6a2e-6f0c-4b8e-9a53-000000000002";

struct adopting_house : house {
  explicit adopting_house(bool idempotent = true)
    : house{[&](config_file& c) {
        c.stages("adopt", std::string{R"({"service":"test","method":"Test.Adopt","idempotent":)"} +
                            (idempotent ? "true" : "false") + "}");
        c.stages("listUnmanaged", R"({"service":"test","method":"Test.ListUnmanaged"})");
      }} {
    sub.on("Test.Adopt", [](const call& asked) { return result(asked, machine()); });
  }

  /// What libvirt's sub-agent returns for a domain that runs.
  static std::string machine(const std::string& more = R"(,"name":"legacy")", const std::string& state = "running") {
    return R"({"guest":{"id":")" + id + R"(","state":")" + state +
           R"(","memory":512,"cpu":2,"metadata":{"owner":"ann"},)"
           R"("disks":[{"device":"vda","bus":"virtio","size":7,"source":"/srv/a.img","format":"raw"}],)"
           R"("nics":[{"name":"net0","network":"lan","mac":"52:54:00:00:00:09"}],"adopted":true)" +
           more + "}}";
  }

  response adopt(const std::string& more = {}, const std::string& key = {}) const {
    const auto body = R"({"id":")" + id + '"' + more + '}';
    return http.send("POST", "/guests/adopt", body,
                     key.empty() ? header_list{} : header_list{"Idempotency-Key: " + key});
  }

  std::string guest() { return http.get("/guests/" + id).body; }
};

} // namespace

TEST_CASE("a domain becomes a guest that is as its machine is, and as the client says") {
  adopting_house h;
  const auto made = h.adopt(R"(,"labels":{"team":"a"},"metadata":{"owner":"ann"},"power":{"boot":"on"})");
  REQUIRE(made.status == 202);
  CHECK(text_at(made.body, "id") == id);
  CHECK(text_at(made.body, "state") == "adopt");
  CHECK(h.outcome(made.job()) == "Complete");
  const auto guest = h.guest();
  CHECK(text_at(guest, "state") == "running");
  CHECK(text_at(guest, "wanted") == "on");
  CHECK(text_at(guest, "name") == "legacy");
  CHECK_THAT(guest, Contains(R"("memory":512)") && Contains(R"("source":"/srv/a.img")") &&
                      Contains(R"("adopted":true)") && Contains(R"("labels":{"team":"a"})") &&
                      Contains("52:54:00:00:00:09"));
  REQUIRE(h.sub.calls("Test.Adopt").size() == 1);
  CHECK_THAT(h.sub.calls("Test.Adopt")[0].params, Contains(R"("action":"adopt")") && Contains(id));
  CHECK(h.outcome(h.http.post("/guests/" + id + "/reboot").job()) == "Complete");
}

TEST_CASE("an adopted guest whose machine is off is not wished on") {
  adopting_house h;
  h.sub.on("Test.Adopt", [](const call& asked) { return result(asked, adopting_house::machine("", "shutoff")); });
  CHECK(h.outcome(h.adopt().job()) == "Complete");
  CHECK(text_at(h.guest(), "wanted") == "off");
}

TEST_CASE("an adoption takes the client's name, else the domain's where a guest may have it") {
  adopting_house h;
  SECTION("the client's") {
    CHECK(h.outcome(h.adopt(R"(,"name":"web1")").job()) == "Complete");
    CHECK(text_at(h.guest(), "name") == "web1");
  }
  SECTION("one that another guest has") {
    h.create_guest(R"("name":"legacy")");
    CHECK(h.outcome(h.adopt().job()) == "Complete");
    CHECK(at(h.guest(), "name") == "(absent)");
    CHECK(h.adopt(R"(,"name":"legacy")").status == 409);
  }
  SECTION("one that no guest may have") {
    h.sub.on("Test.Adopt",
             [](const call& asked) { return result(asked, adopting_house::machine(R"(,"name":"a\/\u001b[2J")")); });
    CHECK(h.outcome(h.adopt().job()) == "Complete");
    CHECK(at(h.guest(), "name") == "(absent)");
  }
}

TEST_CASE("an id that a guest has is a conflict, and a key makes a repetition the same request") {
  adopting_house h;
  const auto first = h.adopt("", "k");
  CHECK(h.outcome(first.job()) == "Complete");
  CHECK(h.adopt("", "k").job() == first.job());
  CHECK(h.adopt("", "k").status == 202);
  CHECK(h.adopt(R"(,"name":"x")", "k").status == 409);
  const auto again = h.adopt(R"(,"labels":{"a":"b"})");
  CHECK(again.status == 409);
  CHECK(error_message(again) == "guest ID exists already");
  CHECK(h.http.post("/guests", R"({"id":")" + id + "\"}").status == 409);
  CHECK(h.sub.calls("Test.Adopt").size() == 1);
}

TEST_CASE("an adoption is refused for what is no id, and for what the machine says") {
  adopting_house h;
  for (const auto* body : {"{", "[]", "{}", R"({"id":"legacy"})", R"({"id":7})", R"({"id":"5d5b6a2e"})"})
    CHECK(h.http.post("/guests/adopt", body).status == 400);
  for (const auto* more : {R"(,"memory":512)", R"(,"disks":[])", R"(,"type":"container")", R"(,"Name":"x")",
                           R"(,"start":true)", R"(,"adopted":true)", R"(,"name":"a/b")", R"(,"power":{"boot":"no"})"}) {
    INFO(more);
    CHECK(h.adopt(more).status == 400);
  }
  CHECK(h.http.get("/guests").body == "[]\n");
  CHECK(h.http.post("/guests/adopt", R"({"id":"5D5B6A2E-6F0C-4B8E-9A53-0F4C7D1E2B39","name":null})").status == 202);
  CHECK(h.http.get("/guests/" + id).status == 200);
}

TEST_CASE("an adoption that fails leaves no guest, and its job says why") {
  adopting_house h;
  h.sub.on("Test.Adopt", [](const call& asked) {
    return rpc_error(asked, R"({"code":"refused","message":"disk vda: is neither a file nor a block device"})");
  });
  const auto job = h.adopt().job();
  CHECK(h.outcome(job) == "Error");
  CHECK(text_at(h.ended(job), "Code") == "refused");
  CHECK(h.message(job) == "disk vda: is neither a file nor a block device");
  CHECK(h.http.get("/guests/" + id).status == 404);
  CHECK(h.http.get("/guests").body == "[]\n");
  h.sub.on("Test.Adopt", [](const call& asked) { return result(asked, adopting_house::machine()); });
  CHECK(h.outcome(h.adopt().job()) == "Complete");
  CHECK(h.healthy());
}

TEST_CASE("neither a client nor a sub-agent says that a guest was adopted") {
  adopting_house h;
  h.sub.on("Test.Create", [](const call& asked) {
    return result(asked, R"({"guest":{"id":")" + id + R"(","state":"running","adopted":true}})");
  });
  CHECK(h.outcome(h.http.post("/guests", R"({"id":")" + id + R"(","adopted":true})").job()) == "Complete");
  CHECK_THAT(h.guest(), !Contains("adopted"));
  CHECK_THAT(h.sub.calls("Test.Create").at(0).params, !Contains("adopted"));
  CHECK(h.http.send("PATCH", "/guests/" + id, R"({"adopted":true})").status == 400);
}

TEST_CASE("snapshots of all disks are refused while one lies outside of the store") {
  adopting_house h;
  CHECK(h.outcome(h.adopt().job()) == "Complete");
  const auto snapshots = "/guests/" + id + "/snapshots";
  const auto refused = h.http.post(snapshots, "{}");
  CHECK(refused.status == 409);
  CHECK(error_message(refused) == "vda lies outside of the store: take snapshots of single disks");
  CHECK(h.http.post(snapshots + "/a/rollback").status == 409);
  CHECK(h.outcome(h.http.post("/guests/" + id + "/disks/1/snapshots", "{}").job()) == "Complete");
  CHECK(h.http.get(snapshots).status == 200);
}

TEST_CASE("snapshots of all disks are taken where the machine does not write to others") {
  adopting_house h;
  h.sub.on("Test.Adopt", [](const call& asked) {
    return result(asked, R"({"guest":{"id":")" + id +
                           R"(","state":"shutoff","disks":[{"device":"vda","volume":"guests/x"},)" +
                           R"({"device":"sda","source":"/srv/a.iso","read_only":true}]}})");
  });
  CHECK(h.outcome(h.adopt().job()) == "Complete");
  CHECK(h.outcome(h.http.post("/guests/" + id + "/snapshots", "{}").job()) == "Complete");
}

TEST_CASE("a guest that was adopted is adopted again, and stays where that fails") {
  adopting_house h;
  CHECK(h.outcome(h.adopt(R"(,"labels":{"team":"a"})").job()) == "Complete");
  h.sub.on("Test.Readopt", [](const call& asked) { return rpc_error(asked, R"("no")"); });
  CHECK(h.outcome(h.adopt().job()) == "Error");
  CHECK_THAT(h.guest(), Contains(R"("source":"/srv/a.img")") && Contains(R"("adopted":true)"));
  h.sub.on("Test.Readopt", [](const call& asked) {
    return result(asked, R"({"guest":{"id":")" + id + R"(","state":"running","memory":1024,)" +
                           R"("disks":[{"device":"vda","source":"/srv/b.img"}]}})");
  });
  const auto again = h.adopt();
  CHECK(again.status == 202);
  CHECK(h.outcome(again.job()) == "Complete");
  CHECK_THAT(h.guest(), Contains(R"("source":"/srv/b.img")") && Contains(R"("memory":1024)") &&
                          Contains(R"("adopted":true)") && Contains(R"("labels":{"team":"a"})") &&
                          Contains(R"("name":"legacy")"));
  CHECK(text_at(h.guest(), "wanted") == "on");
}

TEST_CASE("what waits behind an adoption that fails ends with it") {
  adopting_house h;
  gate opened;
  h.sub.on("Test.Adopt", [&](const call& asked) {
    opened.wait();
    return rpc_error(asked, R"("no")");
  });
  const auto adoption = h.adopt().job();
  const auto behind = h.http.post("/guests/" + id + "/reboot").job();
  const auto preempting = h.http.post("/guests/" + id + "/poweroff", R"({"preempt":true})").job();
  CHECK(text_at(h.ended(behind), "Code") == "preempted");
  opened.open();
  CHECK(h.outcome(adoption) == "Error");
  CHECK(text_at(h.ended(preempting), "Code") == "guest_deleted");
  CHECK(h.http.get("/guests/" + id).status == 404);
  h.sub.on("Test.Adopt", [](const call& asked) { return result(asked, adopting_house::machine()); });
  CHECK(h.outcome(h.adopt().job()) == "Complete");
}

TEST_CASE("an adoption that is cancelled leaves no guest") {
  adopting_house h;
  h.sub.on("Test.Adopt", [](const call&) { return hang(); });
  const auto job = h.adopt().job();
  REQUIRE(h.sub.wait_for("Test.Adopt", 1));
  CHECK(h.http.del("/jobs/" + job).status == 202);
  CHECK(text_at(h.ended(job), "Code") == "cancelled");
  CHECK(h.http.get("/guests/" + id).status == 404);
}

TEST_CASE("a machine with another guest's MAC address is not adopted") {
  adopting_house h;
  h.create_guest(R"("nics":[{"network":"lan","mac":"52:54:00:00:00:09"}])");
  const auto job = h.adopt().job();
  CHECK(h.outcome(job) == "Error");
  CHECK(text_at(h.ended(job), "Code") == "conflict");
  CHECK(h.http.get("/guests/" + id).status == 404);
}

TEST_CASE("an adoption goes on over kill -9 where its stage may be sent again, and else leaves no guest") {
  const bool idempotent = GENERATE(true, false);
  adopting_house h{idempotent};
  std::binary_semaphore killed{0};
  h.sub.on("Test.Adopt", [&, first = std::make_shared<std::atomic<bool>>(true)](const call& asked) {
    if (first->exchange(false)) {
      h.agent.running().signal(SIGKILL);
      killed.release();
    }
    return result(asked, adopting_house::machine());
  });
  h.adopt();
  REQUIRE(killed.try_acquire_for(patience));
  h.agent.running().wait();
  h.agent.start();
  const auto jobs = h.http.get("/jobs?action=adopt").body;
  const auto job = jobs.substr(jobs.find(R"("ID":")") + 6, 36);
  CHECK(h.outcome(job) == (idempotent ? "Complete" : "Error"));
  CHECK(h.http.get("/guests/" + id).status == (idempotent ? 200 : 404));
  if (!idempotent)
    CHECK(h.outcome(h.adopt().job()) == "Complete");
  CHECK(h.healthy());
}

TEST_CASE("the list has what the sub-agent names, without the machines of guests") {
  adopting_house h;
  h.sub.on("Test.ListUnmanaged", [](const call& asked) {
    const auto domain = [](const std::string& of, const std::string& more) {
      return R"({"id":")" + of + R"(","name":"a\u001b","state":"running","memory":1,"cpu":1,"disks":[],"nics":[])" +
             more + "}";
    };
    return result(asked, R"({"domains":[)" + domain(id, R"(,"adoptable":true,"marked":true)") + "," +
                           domain(other, R"(,"adoptable":false,"reason":"is transient")") + "]}");
  });
  const auto before = h.http.get("/guests/unmanaged");
  CHECK(before.status == 200);
  CHECK_THAT(before.body,
             Contains(id) && Contains(R"("reason":"is transient")") && Contains(R"(a\u001b)") && !Contains("marked"));
  CHECK(h.outcome(h.adopt().job()) == "Complete");
  CHECK_THAT(h.http.get("/guests/unmanaged").body, !Contains(id) && Contains(other));
}

TEST_CASE("a domain with the id of a guest that was not adopted is listed as one in its way") {
  const std::string marked = GENERATE("false", "true");
  adopting_house h;
  h.http.post("/guests", R"({"id":")" + other + "\"}");
  h.sub.on("Test.ListUnmanaged", [&](const call& asked) {
    return result(asked, R"({"domains":[{"id":")" + other +
                           R"(","name":"x","state":"running","adoptable":true,"marked":)" + marked + "}]}");
  });
  CHECK_THAT(h.http.get("/guests/unmanaged").body,
             Contains(R"("adoptable":false,"reason":"a guest has this id already")"));
}

TEST_CASE("without the actions in the config, and without a usable answer, both routes say so") {
  adopting_house h;
  for (const auto* answer : {"[]", R"({"domains":7})", R"({"domains":[{"memory":-1}]})", "null"}) {
    h.sub.on("Test.ListUnmanaged", [answer](const call& asked) { return result(asked, answer); });
    INFO(answer);
    CHECK(h.http.get("/guests/unmanaged").status == 502);
  }
  h.sub.on("Test.ListUnmanaged", [](const call& asked) { return rpc_error(asked, R"("libvirt is away")"); });
  CHECK(h.http.get("/guests/unmanaged").status == 502);
  CHECK(h.http.post("/guests/unmanaged", "{}").status == 405);
  CHECK(h.http.get("/guests/adopt").status == 405);
  house plain{[](config_file& c) {
    c.actions.erase("adopt");
    c.actions.erase("listUnmanaged");
  }};
  CHECK(plain.http.get("/guests/unmanaged").status == 404);
  const auto refused = plain.http.post("/guests/adopt", R"({"id":")" + id + "\"}");
  CHECK(refused.status == 404);
  CHECK(error_message(refused) == "adopt: Not configured");
}

TEST_CASE("neither maintenance nor a full host keeps a machine that is there from being adopted") {
  adopting_house h;
  h.http.put("/host/maintenance", R"({"on":true})");
  CHECK(h.outcome(h.adopt().job()) == "Complete");
}
