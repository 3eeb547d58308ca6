#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

namespace {

const std::string some_id = "6a0a1b9c-5d7e-4c2f-8a55-0d9e3c1b2f40";

} // namespace

TEST_CASE("an agent without guests lists none") {
  const house h;
  const auto answer = h.http.get("/guests");
  CHECK(answer.status == 200);
  CHECK(answer.body == "[]\n");
  CHECK(answer.header("content-type") == "application/json");
  CHECK(answer.job().empty());
}

TEST_CASE("a created guest is answered as it is then, and follows its job to the end") {
  house h;
  const auto made = h.http.post("/guests", R"({"id":")" + some_id + R"(","memory":512,"cpu":2,"state":"mine"})");
  CHECK(made.status == 202);
  CHECK(made.body == R"({"id":")" + some_id + R"(","state":"create","wanted":"off","memory":512,"cpu":2})" + "\n");
  REQUIRE_FALSE(made.job().empty());
  CHECK(h.outcome(made.job()) == "Complete");
  CHECK(h.http.get("/guests/" + some_id).status == 200);
  CHECK(count(h.http.get("/guests").body) == 1);
}

TEST_CASE("a guest without an id gets a canonical UUID") {
  house h;
  const auto id = h.create_guest();
  REQUIRE(id.size() == 36);
  for (const auto dash : {8, 13, 18, 23})
    CHECK(id[static_cast<std::size_t>(dash)] == '-');
  CHECK(id.find_first_not_of("0123456789abcdef-") == std::string::npos);
}

TEST_CASE("ids are stored in lower case") {
  house h;
  const auto made = h.http.post("/guests", R"({"id":"6A0A1B9C-5D7E-4C2F-8A55-0D9E3C1B2F40"})");
  CHECK(made.status == 202);
  CHECK(text_at(made.body, "id") == some_id);
  CHECK(h.http.get("/guests/" + some_id).status == 200);
}

TEST_CASE("an id that is no canonical UUID is refused") {
  const house h;
  for (const auto* id : {"web1", "6a0a1b9c5d7e4c2f8a550d9e3c1b2f40", "{6a0a1b9c-5d7e-4c2f-8a55-0d9e3c1b2f40}",
                         "6a0a1b9c-5d7e-4c2f-8a55-0d9e3c1b2f4g"}) {
    const auto answer = h.http.post("/guests", R"({"id":)" + json_string(id) + "}");
    CHECK(answer.status == 400);
    CHECK(error_message(answer) == "id must be uuid");
  }
  CHECK(h.http.get("/guests").body == "[]\n");
}

TEST_CASE("creating the same guest twice gives the first job again") {
  house h;
  const auto body = R"({"id":")" + some_id + R"(","memory":512})";
  const auto first = h.http.post("/guests", body);
  const auto again = h.http.post("/guests", body);
  CHECK(again.status == 202);
  CHECK(again.job() == first.job());
  CHECK(h.outcome(first.job()) == "Complete");
  const auto later = h.http.post("/guests", body);
  CHECK(later.status == 202);
  CHECK(later.job() == first.job());
  CHECK(h.sub.calls("Test.Create").size() == 1);
}

TEST_CASE("creating another guest under a living id is a conflict") {
  house h;
  h.create_guest(R"("id":")" + some_id + R"(","memory":512)");
  const auto other = h.http.post("/guests", R"({"id":")" + some_id + R"(","memory":1024})");
  CHECK(other.status == 409);
  CHECK_FALSE(error_message(other).empty());
  CHECK(at(h.http.get("/guests/" + some_id).body, "memory") == "512");
  CHECK(h.sub.calls("Test.Create").size() == 1);
}

TEST_CASE("an id is free again once its guest is deleted") {
  house h;
  h.create_guest(R"("id":")" + some_id + R"(","memory":512)");
  CHECK(h.outcome(h.http.del("/guests/" + some_id).job()) == "Complete");
  h.create_guest(R"("id":")" + some_id + R"(","memory":1024)");
  CHECK(at(h.http.get("/guests/" + some_id).body, "memory") == "1024");
}

TEST_CASE("without a pipeline for create nothing is stored") {
  const house h{[](config_file& c) { c.actions.erase("create"); }};
  const auto answer = h.http.post("/guests", "{}");
  CHECK(answer.status == 404);
  CHECK(error_message(answer) == "create: Not configured");
  CHECK(h.http.get("/guests").body == "[]\n");
  CHECK(h.http.get("/jobs").body == "[]\n");
}

TEST_CASE("a create that fails leaves the guest in the state error") {
  house h;
  h.sub.on("Test.Create", [](const call& c) { return rpc_error(c, R"("no space left on device")"); });
  const auto made = h.http.post("/guests", R"({"id":")" + some_id + "\"}");
  CHECK(made.status == 202);
  CHECK(h.outcome(made.job()) == "Error");
  CHECK(h.message(made.job()).find("no space left on device") != std::string::npos);
  CHECK(text_at(h.http.get("/guests/" + some_id).body, "state") == "error");
}

TEST_CASE("a guest keeps every known field, in its form, and every unknown one") {
  house h;
  const std::string members =
    R"("type":"kvm","image":"i","nics":[{"network":"n","model":"m","address":"10.0.0.2","netmask":"255.0.0.0",)"
    R"("gateway":"10.0.0.1","vlans":[1,4094],"mtu":9007199254740993}],"disks":[{"bus":"virtio","device":"vda",)"
    R"("size":18446744073709551615,"volume":"v","image":"d","source":"s"}],"memory":4096,"cpu":8,"vnc":-1,)"
    R"("metadata":{"b":"2","a":"1"},"future":{"z":[1.50,-9223372036854775808],"a":null})";
  const auto id = h.create_guest(members);
  const auto guest = h.http.get("/guests/" + id).body;
  CHECK(text_at(guest, "type") == "kvm");
  CHECK(at(guest, "disks/0/size") == "18446744073709551615");
  CHECK(at(guest, "nics/0/vlans") == "[1,4094]");
  CHECK(at(guest, "nics/0/mtu") == "9007199254740993");
  CHECK(at(guest, "vnc") == "-1");
  CHECK(at(guest, "metadata") == R"({"a":"1","b":"2"})");
  CHECK(at(guest, "future") == R"({"z":[1.50,-9223372036854775808],"a":null})");
  const auto sent = h.sub.calls("Test.Create");
  REQUIRE(sent.size() == 1);
  CHECK(at(sent[0].params, "guest/future") == at(guest, "future"));
  CHECK(at(sent[0].params, "guest/disks") == at(guest, "disks"));
}

TEST_CASE("what is empty is left out of a guest, and disks and nics are whole") {
  house h;
  const auto id = h.create_guest(R"("nics":[{}],"disks":[{}],"type":"","memory":0,"metadata":{},"vnc":null)");
  const auto guest = h.http.get("/guests/" + id).body;
  for (const auto* field : {"type", "image", "memory", "cpu", "vnc", "metadata"})
    CHECK(at(guest, field) == "(absent)");
  CHECK(at(guest, "nics/0") == R"({"network":"","model":"","address":"","netmask":"","gateway":"","vlans":null})");
  CHECK(at(guest, "disks/0") == R"({"bus":"","device":"","size":0,"volume":"","image":"","source":""})");
}

TEST_CASE("an unknown guest is not found, whatever is asked of it") {
  const house h;
  const auto guest = "/guests/" + some_id;
  for (const auto& path : {guest, guest + "/metadata", guest + "/metrics/cpu", guest + "/snapshots"}) {
    const auto answer = h.http.get(path);
    CHECK(answer.status == 404);
    CHECK_FALSE(error_message(answer).empty());
  }
  for (const auto& path : {guest + "/reboot", guest + "/snapshots", guest + "/disks/0/snapshots"})
    CHECK(h.http.post(path, "{}").status == 404);
  CHECK(h.http.del(guest).status == 404);
  CHECK(h.http.patch(guest + "/metadata", "{}").status == 404);
  CHECK(h.sub.calls().empty());
}
