#include "house.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace mistify::test;

namespace {

house with_limits(const std::string& limits) {
  return house{[&](config_file& c) { c.top["limits"] = limits; }};
}

bool names(const response& answer, const std::string& number) {
  return error_message(answer).find(number) != std::string::npos;
}

std::string member(const std::string& key, std::size_t bytes) {
  return "{\"" + key + "\":\"" + std::string(bytes, 'x') + "\"}";
}

} // namespace

TEST_CASE("a guest beyond the number of guests is refused with that number") {
  house h = with_limits(R"({"guests":2})");
  h.create_guest();
  const auto second = h.create_guest();
  const auto refused = h.http.post("/guests", "{}");
  CHECK(refused.status == 429);
  CHECK(names(refused, "2"));
  CHECK(count(h.http.get("/guests").body) == 2);
  CHECK(h.outcome(h.http.del("/guests/" + second).job()) == "Complete");
  h.create_guest();
}

TEST_CASE("a guest is bounded at its creation, in its metadata and in what a stage returns") {
  house h = with_limits(R"({"guest_bytes":2000})");
  const auto large = h.http.post("/guests", R"({"metadata":)" + member("k", 2000) + "}");
  CHECK(large.status == 413);
  CHECK(names(large, "2000"));
  const auto id = h.create_guest();
  const auto metadata = "/guests/" + id + "/metadata";
  CHECK(h.http.patch(metadata, member("one", 1500)).status == 200);
  const auto refused = h.http.patch(metadata, member("two", 1500));
  CHECK(refused.status == 413);
  CHECK(names(refused, "2000"));
  h.sub.on("Test.Reboot", [&](const call& c) {
    return result(c, R"({"guest":{"id":")" + id + R"(","metadata":)" + member("k", 5000) + "}}");
  });
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(h.outcome(job) == "Error");
  CHECK(h.message(job).find("2000") != std::string::npos);
  CHECK(h.outcome(h.http.post("/guests/" + id + "/shutdown").job()) == "Complete");
}

TEST_CASE("the hypervisor's metadata are bounded as a whole") {
  const house h = with_limits(R"({"metadata_bytes":1000})");
  CHECK(h.http.patch("/metadata", member("one", 700)).status == 200);
  const auto refused = h.http.patch("/metadata", member("two", 700));
  CHECK(refused.status == 413);
  CHECK(names(refused, "1000"));
  CHECK(h.http.patch("/metadata", R"({"one":null})").status == 200);
  CHECK(h.http.patch("/metadata", member("two", 700)).status == 200);
}

TEST_CASE("image jobs that have not ended are bounded, and several run at a time") {
  house h = with_limits(R"({"open_image_jobs":3,"image_jobs":2})");
  gate door;
  h.sub.on("Test.FetchImage", [&](const call& c) {
    if (text_at(c.params, "id") == "drips")
      door.wait();
    return result(c, R"({"images":[]})");
  });
  const auto fetch = [&](const std::string& id) { return h.http.post("/images", R"({"id":")" + id + "\"}"); };
  const auto drips = fetch("drips").job();
  CHECK(h.outcome(fetch("quick").job()) == "Complete");
  const auto same = fetch("drips").job();
  const auto also = fetch("drips").job();
  const auto refused = fetch("other");
  CHECK(refused.status == 429);
  CHECK(names(refused, "3"));
  door.open();
  for (const auto& job : {drips, same, also})
    CHECK(h.outcome(job) == "Complete");
}

TEST_CASE("what a sub-agent says of an error is cut wherever it shows") {
  house h;
  const auto id = h.create_guest();
  const auto says = [](const call& c) { return rpc_error(c, "\"" + std::string(3'000'000, 'E') + "\""); };
  for (const auto* method : {"Test.Reboot", "Test.CpuMetrics", "Test.GetImage", "Test.ContainerGetImage"})
    h.sub.on(method, says);
  const auto job = h.ended(h.http.post("/guests/" + id + "/reboot").job());
  CHECK(text_at(job, "Message").size() == 4096);
  CHECK(text_at(job, "Message").ends_with("E…"));
  CHECK(h.http.get("/jobs").body.size() < 10'000);
  CHECK(error_message(h.http.get("/guests/" + id + "/metrics/cpu")).size() <= 4096);
  CHECK(error_message(h.http.get("/images/x")).size() <= 4096);
  CHECK(h.agent.log().size() < 100'000);
}

TEST_CASE("metrics of more devices than anybody has are left out") {
  house h = with_limits(R"({"metric_devices":3})");
  const auto id = h.create_guest();
  h.sub.on("Test.DiskMetrics",
           [](const call& c) { return result(c, R"({"disk":{"a":{},"b":{},"c":{},"d":{},"e":{}}})"); });
  h.sub.on("Test.CpuMetrics", [](const call& c) { return result(c, R"({"cpu":[{},{},{},{}]})"); });
  const auto disks = h.http.get("/guests/" + id + "/metrics/disk").body;
  CHECK(at(disks, "c") != "(absent)");
  CHECK(at(disks, "d") == "(absent)");
  CHECK(count(h.http.get("/guests/" + id + "/metrics/cpu").body) == 3);
}

TEST_CASE("a known name in another case is refused at every level of a guest") {
  house h;
  for (const auto* body : {R"({"Memory":512})", R"({"nics":[{"MAC":"x"}]})", R"({"disks":[{},{"SOURCE":"/x"}]})"}) {
    INFO(body);
    CHECK(h.http.post("/guests", body).status == 400);
  }
  CHECK(h.http.post("/images", R"({"id":"i","Source":"http://127.0.0.1/x"})").status == 400);
  CHECK(h.http.get("/guests").body == "[]\n");
  const auto id = h.create_guest(R"("metadata":{"Memory":"m","memory":"n"},"owner":"me")");
  CHECK(h.http.patch("/guests/" + id + "/metadata", R"({"State":"free"})").status == 200);
  h.sub.on("Test.Reboot", [&](const call& c) {
    return result(c, R"({"guest":{"id":")" + id + R"(","state":"up","disks":[{"Image":"i"}]}})");
  });
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(h.outcome(job) == "Error");
  CHECK(h.message(job).find("disks[0].Image") != std::string::npos);
}

TEST_CASE("control characters in ids and names are refused on every route") {
  house h;
  const auto guest = "/guests/" + h.create_guest();
  const std::vector<std::string> paths{
    "/images/a%0ab",        "/images?type=a%00b", "/container_images/%7f",   "/container_images?name=a%01",
    "/guests/a%0a",         "/jobs/%1b[2J",       guest + "/snapshots/a%0a", guest + "/disks/1%0d/snapshots",
    guest + "/jobs/%c2%85", "/images/%c2%9b"};
  for (const auto& path : paths) {
    INFO(path);
    CHECK(h.http.get(path).status == 400);
  }
  CHECK(h.http.del("/images/a%0ab").status == 400);
  for (const auto* body : {R"({"id":"a\nb"})", R"({"id":"i","dest":"\u0000"})", R"({"id":"i","source":"http://x/\r"})",
                           R"({"type":"container","name":"a\u001b"})"})
    CHECK(h.http.post("/images", body).status == 400);
  for (const auto* body :
       {R"({"image":"a\nb"})", R"({"nics":[{"network":"\t"}]})", R"({"disks":[{"source":"/x\u0000/y"}]})"})
    CHECK(h.http.post("/guests", body).status == 400);
  CHECK(h.http.post(guest + "/snapshots", R"({"dest":"a\nb"})").status == 400);
  CHECK(h.sub.calls("Test.FetchImage").empty());
}

TEST_CASE("what needs no place in a guest's full queue is answered all the same") {
  house h = with_limits(R"({"queue":2})");
  gate door;
  h.sub.on("Test.Create", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  const std::string id = "11111111-2222-4333-8444-555555555555", body = R"({"id":")" + id + R"(","memory":2})";
  const auto created = h.http.post("/guests", body);
  for (int i = 0; i < 2; ++i)
    CHECK(h.http.post("/guests/" + id + "/start").status == 202);
  CHECK(h.http.post("/guests/" + id + "/start").status == 429);

  const auto again = h.http.post("/guests", body);
  CHECK(again.status == 202);
  CHECK(again.job() == created.job());
  CHECK(h.http.post("/guests", R"({"id":")" + id + R"(","memory":3})").status == 409);
  CHECK(h.http.patch("/guests/" + id, R"({"name":"web"})").status == 202);
  CHECK(h.http.send("POST", "/guests/" + id + "/start", "", {"If-Match: \"x\""}).status == 412);
  CHECK(h.http.post("/guests/" + id + "/start").status == 429); // none of them took a place, or gave one
  door.open();
  CHECK(h.outcome(created.job()) == "Complete");
}

TEST_CASE("a delete that is repeated on a full queue is the first one's job, and may force it") {
  house h = with_limits(R"({"queue":2})");
  const auto guest = "/guests/" + h.create_guest();
  gate door;
  h.sub.on("Test.Delete", [&](const call& c) {
    door.wait();
    return rpc_error(c, R"("it cannot be deleted")");
  });
  const auto first = h.http.del(guest);
  for (int i = 0; i < 2; ++i)
    CHECK(h.http.post(guest + "/start").status == 202);
  CHECK(h.http.del(guest).job() == first.job());
  CHECK(h.http.del(guest + "?force=true").job() == first.job());
  door.open();
  CHECK(h.outcome(first.job()) == "Complete"); // forced
  CHECK(h.http.get(guest).status == 404);
}

TEST_CASE("a dot segment names nothing") {
  house h;
  for (const auto* path : {"/images/..", "/images/.", "/images/%2e%2e", "/guests/..", "/jobs/%2E"}) {
    INFO(path);
    CHECK(h.http.get(path).status == 404);
  }
  CHECK(h.sub.calls("Test.GetImage").empty());
}
