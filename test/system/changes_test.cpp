#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;
using Catch::Contains;

namespace {

struct change_house : house {
  using house::house;

  std::string id =
    create_guest(R"("memory":512,"cpu":1,"name":"web","disks":[{"device":"vda","size":10,"volume":"p/disk-0"},
    {"device":"vdb","size":20,"volume":"p/disk-4"}],"nics":[{"name":"net0","network":"lan","mac":"52:54:00:00:00:01"}])");
  std::string at = "/guests/" + id;

  std::string last_params(const std::string& method) const {
    const auto calls = sub.calls(method);
    REQUIRE_FALSE(calls.empty());
    const auto& text = calls.back().params;
    const auto begin = text.find("\"params\":");
    return begin == text.npos ? std::string{} : text.substr(begin + 9, text.size() - begin - 10);
  }
};

} // namespace

TEST_CASE("a patch of what only the agent keeps is done with its answer and calls nobody") {
  change_house h;
  const auto tag = h.http.get(h.at).header("etag");
  const auto patched =
    h.http.send("PATCH", h.at, R"({"name":"db","labels":{"team":"a"},"rack":{"row":7}})", {"If-Match: " + tag});
  REQUIRE(patched.status == 202);
  CHECK(text_at(patched.body, "name") == "db");
  CHECK_THAT(patched.body, Contains(R"("rack":{"row":7})"));
  CHECK(patched.header("etag") == h.http.get(h.at).header("etag"));
  CHECK(patched.header("etag") != tag);
  CHECK(text_at(h.http.get("/jobs/" + patched.job()).body, "Status") == "Complete");
  CHECK(h.sub.calls("Test.Update").empty());
  CHECK(h.http.send("PATCH", h.at, R"({"name":"x"})", {"If-Match: " + tag}).status == 412);
  h.http.patch(h.at, R"({"labels":{"team":null,"tier":"1"},"rack":null})");
  const auto now = h.http.get(h.at).body;
  CHECK_THAT(now, Contains(R"("labels":{"tier":"1"})"));
  CHECK(now.find("rack") == now.npos);
  h.agent.kill_and_start();
  CHECK(h.http.get(h.at).body == now);
}

TEST_CASE("a patch of memory is sent as the guest shall be, and an echo of before does not undo it") {
  change_house h;
  h.sub.on("Test.Update", [&](const call& asked) {
    return result(asked, R"({"guest":{"id":")" + h.id + R"(","state":"running","memory":512,"cpu":1}})");
  });
  const auto patched = h.http.patch(h.at, R"({"memory":1024,"apply":"next-start"})");
  CHECK(h.outcome(patched.job()) == "Complete");
  CHECK(h.last_params("Test.Update") == R"({"memory":1024,"apply":"next-start"})");
  CHECK_THAT(h.sub.calls("Test.Update").back().params, Contains(R"("memory":1024,"cpu":1)"));
  const auto now = h.http.get(h.at).body;
  CHECK(at(now, "memory") == "1024");
  CHECK(text_at(now, "name") == "web"); // which the sub-agent did not return
  CHECK(now.find("apply") == now.npos);
}

TEST_CASE("a patch that fails leaves memory as it was") {
  change_house h;
  h.sub.on("Test.Update", [](const call& asked) { return rpc_error(asked, R"("no")"); });
  CHECK(h.outcome(h.http.patch(h.at, R"({"memory":1024})").job()) == "Error");
  CHECK(at(h.http.get(h.at).body, "memory") == "512");
}

TEST_CASE("a change whose apply is null is made as one without") {
  change_house h;
  CHECK(h.outcome(h.http.patch(h.at, R"({"memory":1024,"apply":null})").job()) == "Complete");
  CHECK(at(h.http.get(h.at).body, "memory") == "1024");
}

TEST_CASE("what cannot be patched is refused by name") {
  change_house h;
  const std::vector<std::pair<std::string, std::string>> wrong{
    {R"({"id":"x"})", "id: cannot be changed"},
    {R"({"state":"running"})", "state: cannot be changed"},
    {R"({"vnc":1})", "vnc: cannot be changed"},
    {R"({"next_disk":1})", "next_disk: cannot be changed"},
    {R"({"metadata":{}})", "metadata: is changed by PATCH /guests/{id}/metadata"},
    {R"({"disks":[]})", "disks: is changed by"},
    {R"({"memory":null})", "memory: must be 1 or more"},
    {R"({"memory":0})", "memory: must be 1 or more"},
    {R"({"memory":"1"})", "memory"},
    {R"({"memory":-1})", "memory"},
    {R"({"cpu":1.5})", "cpu"},
    {R"({"Memory":1})", "the name of this member is memory"},
    {R"({"name":"a/b"})", "name"},
    {R"({"name":5})", "name"},
    {R"({"labels":{"a":1}})", "labels"},
    {R"({"apply":"now"})", "apply: must be live, next-start or either"},
    {R"({"apply":5})", "apply"},
    {"[]", "body: must be an object"},
    {"", ""},
  };
  for (const auto& [body, why] : wrong) {
    INFO(body);
    const auto answer = h.http.patch(h.at, body);
    CHECK(answer.status == 400);
    CHECK_THAT(error_message(answer), Contains(why));
  }
  CHECK(h.http.patch("/guests/6a0a1b9c-5d7e-4c2f-8a55-0d9e3c1b2f40", "{}").status == 404);
  CHECK(h.http.patch(h.at, R"({"memory":1,"apply":"live"})").status == 409); // the guest is not on
}

TEST_CASE("the power of a guest is patched member by member, and checked as at its create") {
  change_house h;
  CHECK(h.http.patch(h.at, R"({"power":{"restart":"on-crash","max":3},"on_io_error":"stay"})").status == 202);
  CHECK(h.http.patch(h.at, R"({"power":{"max":null,"order":-2}})").status == 202);
  CHECK(h.sub.calls("Test.Update").empty());
  const auto now = h.http.get(h.at).body;
  CHECK_THAT(now, Contains(R"("power":{"restart":"on-crash","order":-2})"));
  CHECK(text_at(now, "on_io_error") == "stay");
  for (const auto* wrong : {R"({"power":"on"})", R"({"power":{"max":0}})", R"({"power":{"x":1}})",
                            R"({"on_io_error":"wait"})", R"({"wanted":"on"})", R"({"start":true})"}) {
    INFO(wrong);
    CHECK(h.http.patch(h.at, wrong).status == 400);
  }
  CHECK(h.http.get(h.at).body == now);
  CHECK(h.http.patch(h.at, R"({"power":null,"on_io_error":null})").status == 202);
}

TEST_CASE("names are unique when they are changed, too") {
  change_house h;
  h.create_guest(R"("name":"db")");
  CHECK(h.http.patch(h.at, R"({"name":"db"})").status == 409);
  CHECK(h.http.patch(h.at, R"({"name":null})").status == 202);
  CHECK(h.http.post("/guests", R"({"name":"web"})").status == 202);
}

TEST_CASE("disks are named by number or device in the wishes of their jobs") {
  change_house h;
  CHECK(h.outcome(h.http.post(h.at + "/disks", R"({"size":5,"tier":"x"})").job()) == "Complete");
  CHECK(h.last_params("Test.AttachDisk") == R"({"size":5,"tier":"x"})");
  CHECK(h.outcome(h.http.del(h.at + "/disks/4?apply=next-start").job()) == "Complete");
  CHECK(h.last_params("Test.DetachDisk") == R"({"disk":4,"device":"vdb","apply":"next-start"})");
  CHECK(h.outcome(h.http.del(h.at + "/disks/vdb?delete=true").job()) == "Complete");
  CHECK(h.last_params("Test.DetachDisk") == R"({"disk":4,"device":"vdb","delete":true})");
  CHECK(h.outcome(h.http.post(h.at + "/disks/vdb/resize", R"({"size":21})").job()) == "Complete");
  CHECK(h.last_params("Test.ResizeDisk") == R"({"disk":4,"device":"vdb","size":21})");
  const auto taken = h.http.post(h.at + "/disks", R"({"device":"vda","size":5})");
  CHECK(taken.status == 409);
  CHECK_THAT(error_message(taken), Contains("device: the guest has a disk vda"));
  CHECK(h.http.del(h.at + "/disks/0").status == 409);
  CHECK(h.http.send("DELETE", h.at + "/disks/0", "", {"If-Match: \"x\""}).status == 412);
  CHECK(h.http.del(h.at + "/disks/1").status == 404);
  CHECK(h.http.post(h.at + "/disks/vdb/resize", R"({"size":19})").status == 409);
  for (const auto* wrong :
       {"{}", R"({"size":0})", R"({"size":"1"})", R"({"size":30,"more":1})", R"({"size":99999999})", "5"})
    CHECK(h.http.post(h.at + "/disks/vdb/resize", wrong).status == 400);
  for (const auto* wrong : {"{}", R"({"size":"1"})", R"({"Size":1})", R"({"size":1,"bus":"a\nb"})", "[]", ""})
    CHECK(h.http.post(h.at + "/disks", wrong).status == 400);
  CHECK(h.http.del(h.at + "/disks/4?apply=soon").status == 400);
}

TEST_CASE("nics come and go, but never with another guest's address") {
  change_house h;
  CHECK(h.outcome(h.http.post(h.at + "/nics", R"({"network":"lan","mac":"52:54:00:00:00:02"})").job()) == "Complete");
  CHECK(h.last_params("Test.AttachNic") == R"({"network":"lan","mac":"52:54:00:00:00:02"})");
  CHECK(h.http.post(h.at + "/nics", R"({"network":"lan","mac":"52:54:00:00:00:01"})").status == 409);
  CHECK(h.http.post(h.at + "/nics", R"({"name":"net0"})").status == 409);
  CHECK(h.outcome(h.http.del(h.at + "/nics/net0").job()) == "Complete");
  CHECK(h.last_params("Test.DetachNic") == R"({"nic":0,"name":"net0","mac":"52:54:00:00:00:01"})");
  CHECK(h.http.del(h.at + "/nics/7").status == 404);
}

TEST_CASE("what waits for the next start is what the sub-agent says") {
  change_house h;
  h.sub.on("Test.Pending",
           [](const call& asked) { return result(asked, R"([{"member":"memory","now":512,"next":1024}])"); });
  CHECK(h.http.get(h.at + "/pending").body == "[{\"member\":\"memory\",\"now\":512,\"next\":1024}]\n");
  h.sub.on("Test.Pending", [](const call& asked) { return result(asked, R"({"a":1})"); });
  CHECK(h.http.get(h.at + "/pending").status == 502);
}

TEST_CASE("a change is judged by what the queued changes will make of the guest") {
  gate door;
  change_house h;
  h.sub.on("Test.ResizeDisk", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  CHECK(h.http.post(h.at + "/disks/vdb/resize", R"({"size":40})").status == 202);
  CHECK(h.http.post(h.at + "/disks/4/resize", R"({"size":30})").status == 409);
  CHECK(h.http.post(h.at + "/disks", R"({"device":"vdc","size":5})").status == 202);
  CHECK(h.http.post(h.at + "/disks", R"({"device":"vdc","size":6})").status == 409);
  CHECK(h.http.del(h.at + "/disks/vdb").status == 202);
  CHECK(h.http.del(h.at + "/disks/vdb").status == 409);
  CHECK(h.http.post(h.at + "/disks/vdb/resize", R"({"size":50})").status == 409);
  CHECK(h.http.post(h.at + "/disks", R"({"device":"vdb","size":6})").status == 202);
  door.open();
}
