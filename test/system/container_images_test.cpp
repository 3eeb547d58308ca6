#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

namespace {

const std::string raw_image = R"({"Id":"sha256:1","id":"busybox","RepoTags":["busybox:latest"],"VirtualSize":1e6})";

script one_image(const std::string& image) {
  return [=](const call& c) { return result(c, R"({"images":[)" + image + "]}"); };
}

} // namespace

TEST_CASE("container images are listed and got as the sub-agent gives them") {
  house h;
  CHECK(h.http.get("/container_images").body == "[]\n");
  h.sub.on("Test.ContainerListImages", one_image(raw_image));
  h.sub.on("Test.ContainerGetImage", one_image(raw_image));
  const auto list = h.http.get("/container_images");
  CHECK(list.status == 200);
  CHECK(list.body == "[" + raw_image + "]\n");
  const auto one = h.http.get("/container_images/busybox");
  CHECK(one.status == 200);
  CHECK(one.body == raw_image + "\n");
  CHECK(h.sub.calls("Test.ListImages").empty());
  CHECK(h.sub.calls("Test.GetImage").empty());
}

TEST_CASE("a container image is fetched with its name and options") {
  house h;
  const auto answer =
    h.http.post("/container_images", R"({"id":"b","source":"docker","name":"busybox","opts":{"tag":"1","n":[1]}})");
  CHECK(answer.status == 202);
  CHECK(answer.body == "{\"images\":[]}\n");
  const auto job = h.ended(answer.job());
  CHECK(text_at(job, "Status") == "Complete");
  CHECK(text_at(job, "Action") == "containerFetchImage");
  const auto sent = h.sub.calls("Test.ContainerFetchImage").at(0);
  CHECK(text_at(sent.params, "id") == "b");
  CHECK(text_at(sent.params, "type") == "container");
  CHECK(text_at(sent.params, "name") == "busybox");
  CHECK(at(sent.params, "opts") == R"({"tag":"1","n":[1]})");
}

TEST_CASE("a container image is deleted where it is, and absent where it is not") {
  house h;
  h.sub.on("Test.ContainerGetImage", one_image(raw_image));
  const auto answer = h.http.del("/container_images/busybox");
  CHECK(answer.status == 202);
  CHECK(answer.body == "{}\n");
  CHECK(text_at(h.ended(answer.job()), "Action") == "containerDeleteImage");
  h.sub.on("Test.ContainerGetImage", [](const call& c) { return rpc_error(c, R"("no such image")"); });
  CHECK(h.http.del("/container_images/busybox").status == 404);
  CHECK(h.http.get("/container_images/busybox").status == 404);
}

TEST_CASE("container images that are not configured") {
  const house h{[](config_file& c) { c.actions.erase("containerFetchImage"); }};
  const auto answer = h.http.post("/container_images", R"({"id":"b"})");
  CHECK(answer.status == 404);
  CHECK(error_message(answer) == "containerFetchImage: Not configured");
}
