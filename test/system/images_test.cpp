#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

namespace {

script images(const std::string& list) {
  return [=](const call& c) { return result(c, R"({"images":[)" + list + "]}"); };
}

script says(const std::string& error) {
  return [=](const call& c) { return rpc_error(c, json_string(error)); };
}

const std::string disk_image = R"({"id":"deb","type":"kvm","volume":"v","snapshot":"s","size":18446744073709551615})";
const std::string container_image = R"({"id":"busybox","type":"container","size":3,"status":"complete"})";

} // namespace

TEST_CASE("images are listed from both stores, the disk store first") {
  const house h;
  CHECK(h.http.get("/images").body == "[]\n");
}

TEST_CASE("the type decides which store lists") {
  house h;
  h.sub.on("Test.ListImages", images(disk_image));
  h.sub.on("Test.ContainerListImages", images(container_image));
  const auto both = h.http.get("/images");
  CHECK(both.status == 200);
  CHECK(both.job().empty());
  REQUIRE(count(both.body) == 2);
  CHECK(at(both.body, "0/size") == "18446744073709551615");
  CHECK(text_at(both.body, "1/id") == "busybox");
  const auto containers = h.http.get("/images?type=container");
  REQUIRE(count(containers.body) == 1);
  CHECK(text_at(containers.body, "0/id") == "busybox");
  for (const auto* type : {"kvm", "anything"}) {
    const auto disks = h.http.get(std::string{"/images?type="} + type);
    REQUIRE(count(disks.body) == 1);
    CHECK(text_at(disks.body, "0/id") == "deb");
  }
}

TEST_CASE("a store that is not configured counts as empty") {
  house h{[](config_file& c) {
    c.actions.erase("containerListImages");
    c.actions.erase("containerGetImage");
  }};
  h.sub.on("Test.ListImages", images(disk_image));
  h.sub.on("Test.GetImage", says("not found"));
  CHECK(count(h.http.get("/images").body) == 1);
  CHECK(h.http.get("/images?type=container").status == 200);
  CHECK(h.http.get("/images?type=container").body == "[]\n");
  CHECK(h.http.get("/images/nope").status == 404);
}

TEST_CASE("a store whose action has no stages counts as empty") {
  house h{[](config_file& c) {
    c.stages("listImages", "");
    c.stages("getImage", "");
    c.actions.erase("containerListImages");
    c.actions.erase("containerGetImage");
  }};
  CHECK(h.http.get("/images").body == "[]\n");
  CHECK(h.http.get("/images/x").status == 404);
}

TEST_CASE("fetching an image is a job of the agent") {
  house h;
  const auto answer = h.http.post("/images", R"({"id":"deb","source":"http://127.0.0.1/deb.gz","type":"kvm"})");
  CHECK(answer.status == 202);
  CHECK(answer.body == "{\"images\":[]}\n");
  const auto job = h.ended(answer.job());
  CHECK(text_at(job, "Status") == "Complete");
  CHECK(text_at(job, "Action") == "fetchImage");
  CHECK(text_at(job, "GuestID") == "agent");
  const auto sent = h.sub.calls("Test.FetchImage").at(0);
  CHECK(text_at(sent.params, "id") == "deb");
  CHECK(text_at(sent.params, "type") == "kvm");
  CHECK(text_at(sent.params, "source") == "http://127.0.0.1/deb.gz");
  CHECK(text_at(sent.params, "dest").empty());
}

TEST_CASE("a container image is fetched by the container store") {
  house h;
  const auto answer = h.http.post("/images", R"({"source":"busybox","type":"container"})");
  CHECK(answer.status == 202);
  CHECK(text_at(h.ended(answer.job()), "Action") == "containerFetchImage");
  CHECK(h.sub.calls("Test.FetchImage").empty());
  CHECK(h.sub.calls("Test.ContainerFetchImage").size() == 1);
}

TEST_CASE("a fetch of nothing is refused") {
  const house h;
  for (const auto* body : {"{}", R"({"type":"container"})", R"({"id":"","source":null})"}) {
    const auto answer = h.http.post("/images", body);
    CHECK(answer.status == 400);
    CHECK(error_message(answer) == "missing id");
  }
  CHECK(h.sub.calls().empty());
}

TEST_CASE("a fetch without a pipeline is not configured") {
  const house h{[](config_file& c) {
    c.actions.erase("fetchImage");
    c.actions.erase("containerFetchImage");
  }};
  const auto disk = h.http.post("/images", R"({"id":"deb"})");
  CHECK(disk.status == 404);
  CHECK(error_message(disk) == "fetchImage: Not configured");
  const auto container = h.http.post("/images", R"({"id":"deb","type":"container"})");
  CHECK(container.status == 404);
  CHECK(error_message(container) == "containerFetchImage: Not configured");
  CHECK(h.http.get("/jobs").body == "[]\n");
}

TEST_CASE("an image is found in whichever store has it, whatever the other says") {
  house h;
  h.sub.on("Test.GetImage", images(disk_image));
  for (const auto* other : {"no such image", "not found", "store is broken"}) {
    h.sub.on("Test.ContainerGetImage", says(other));
    const auto answer = h.http.get("/images/deb");
    CHECK(answer.status == 200);
    CHECK(at(answer.body, "") == disk_image);
  }
  h.sub.on("Test.GetImage", says("not found"));
  h.sub.on("Test.ContainerGetImage", images(container_image));
  CHECK(text_at(h.http.get("/images/busybox").body, "type") == "container");
}

TEST_CASE("an image that no store has is absent, each time anew") {
  house h;
  h.sub.on("Test.GetImage", says("not found"));
  h.sub.on("Test.ContainerGetImage", says("no such image"));
  for (int again = 0; again < 10; ++again) {
    const auto answer = h.http.get("/images/deb");
    CHECK(answer.status == 404);
    CHECK_FALSE(error_message(answer).empty());
  }
}

TEST_CASE("an image is also absent where a store says so by an HTTP status") {
  house h;
  const auto refuses = [](int status, const char* text) {
    return [=](const call&) { return http_reply(status, text); };
  };
  h.sub.on("Test.GetImage", refuses(404, "not found"));
  h.sub.on("Test.ContainerGetImage", refuses(500, "no such image"));
  CHECK(h.http.get("/images/deb").status == 404);
  h.sub.on("Test.ContainerGetImage", refuses(404, "no such page"));
  CHECK(h.http.get("/images/deb").status == 502);
}

TEST_CASE("an error in either store is a bad gateway where the other has no such image, each time anew") {
  house h;
  for (const bool disk_fails : {true, false}) {
    h.sub.on("Test.GetImage", says(disk_fails ? "pool is offline" : "not found"));
    h.sub.on("Test.ContainerGetImage", says(disk_fails ? "no such image" : "pool is offline"));
    for (int again = 0; again < 5; ++again) {
      const auto answer = h.http.get("/images/deb");
      CHECK(answer.status == 502);
      CHECK(error_message(answer).find("pool is offline") != std::string::npos);
    }
  }
}

TEST_CASE("another image than the one that was asked for is a bad gateway, and is not deleted") {
  house h;
  h.sub.on("Test.GetImage", images(disk_image));
  h.sub.on("Test.ContainerGetImage", says("no such image"));
  for (const auto& answer : {h.http.get("/images/debian"), h.http.get("/images/DEB"), h.http.del("/images/debian")}) {
    CHECK(answer.status == 502);
    CHECK(error_message(answer) == "the sub-agent returned another image: \"deb\"");
  }
  CHECK(h.http.get("/jobs").body == "[]\n");
  h.sub.on("Test.ContainerGetImage", images(container_image)); // of a container's image the id may be one of several
  CHECK(h.http.get("/images/busybox:latest").status == 200);
}

TEST_CASE("a type keeps the question to its store") {
  house h;
  h.sub.on("Test.GetImage", images(disk_image));
  h.sub.on("Test.ContainerGetImage", says("no such image"));
  CHECK(h.http.get("/images/deb?type=kvm").status == 200);
  CHECK(h.sub.calls("Test.ContainerGetImage").empty());
  CHECK(h.http.get("/images/deb?type=container").status == 404);
  CHECK(h.sub.calls("Test.GetImage").size() == 1);
  CHECK(text_at(h.sub.calls("Test.GetImage").at(0).params, "id") == "deb");
}

TEST_CASE("an image is deleted from the store that has it") {
  house h;
  h.sub.on("Test.GetImage", says("not found"));
  h.sub.on("Test.ContainerGetImage", images(container_image));
  const auto answer = h.http.del("/images/busybox");
  CHECK(answer.status == 202);
  CHECK(answer.body == "{}\n");
  CHECK(text_at(h.ended(answer.job()), "Action") == "containerDeleteImage");
  CHECK(h.outcome(answer.job()) == "Complete");
  CHECK(text_at(h.sub.calls("Test.ContainerDeleteImage").at(0).params, "id") == "busybox");
  h.sub.on("Test.GetImage", images(disk_image));
  h.sub.on("Test.ContainerGetImage", says("no such image"));
  CHECK(text_at(h.ended(h.http.del("/images/deb").job()), "Action") == "deleteImage");
}

TEST_CASE("an image that is absent is not deleted") {
  house h;
  h.sub.on("Test.GetImage", says("not found"));
  h.sub.on("Test.ContainerGetImage", says("no such image"));
  const auto answer = h.http.del("/images/deb");
  CHECK(answer.status == 404);
  CHECK_FALSE(error_message(answer).empty());
  CHECK(h.http.get("/jobs").body == "[]\n");
}

TEST_CASE("an image job that fails says why") {
  house h;
  h.sub.on("Test.FetchImage", says("unexpected http response code: 404"));
  const auto job = h.http.post("/images", R"({"id":"deb"})").job();
  CHECK(h.outcome(job) == "Error");
  CHECK(h.message(job).find("unexpected http response code: 404") != std::string::npos);
}
