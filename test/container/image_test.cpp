#include "fixture.hpp"
#include "image_files.hpp"
#include "rpc/agents/container/image_names.hpp"

#include <fstream>

using namespace mistify;
using namespace mistify::agents::container;
using Catch::Contains;
using Catch::StartsWith;
using test::container_lab;
using test::docker_archive;
using test::files;
using test::tar_of;

namespace {

/// Answers with the images in a response's text.
std::string params(const std::string& id, const std::string& source, const std::string& more = "") {
  return R"({"id":")" + id + R"(","type":"container","dest":"","source":")" + source + '"' + more + '}';
}

struct image_lab : container_lab {
  std::string file(const files& all) { return "file://" + dir.write("busy.tar", tar_of(all)); }
  std::string refusal(const std::string& method, const std::string& with) {
    try {
      raw(method, with);
    } catch (const std::exception& e) {
      return e.what();
    }
    return {};
  }
};

} // namespace

TEST_CASE("the id of an image is its name without what every engine adds") {
  CHECK(id_of_tag("localhost/bb:latest") == "bb");
  CHECK(id_of_tag("docker.io/library/alpine:3.19") == "alpine:3.19");
  CHECK(id_of_tag("docker.io/me/x:latest") == "me/x");
  CHECK(id_of_tag("quay.io/a/b:1") == "quay.io/a/b:1");
  CHECK(id_of_tag("<none>:<none>").empty());
  CHECK(id_of_file("BusyBox-1.36.tar.gz") == "busybox-1.36");
  CHECK(id_of_file("x.tgz") == "x");
  CHECK(id_of_file(".tar") == ".tar");
  CHECK(split_reference("oci").text() == "docker.io/library/oci:latest");
  CHECK(split_reference("me/x:1").text() == "docker.io/me/x:1");
  CHECK(split_reference("quay.io/a/b").text() == "quay.io/a/b:latest");
  CHECK(split_reference("host:5000/a").text() == "host:5000/a:latest");
  CHECK(local_tag("bb").text() == "localhost/bb:latest");
  CHECK(local_tag("host:5000/bb:2").text() == "localhost/host:5000/bb:2");
  CHECK(references_of("bb") == std::vector<std::string>{"localhost/bb:latest", "docker.io/library/bb:latest"});
  for (const auto* bad : {"A", "a b", "a\n", "-a", "a//b", "a/", "a:", "a:b:c", "a..b", "../a", "a?b", "a:.x"})
    CHECK_THROWS_AS(expect_image_id(bad), std::invalid_argument);
  CHECK_THROWS_WITH(expect_image_id(""), "need an id");
  for (const auto* good : {"0a1b2c3d-0000-4000-8000-000000000001", "a", "a.b_c-d/e:V1.0", "host:5000/a"})
    CHECK_NOTHROW(expect_image_id(good));
}

TEST_CASE_METHOD(image_lab,
                 "an image is loaded from a file under its id, packed or not, and is there the second time") {
  const auto source = file(docker_archive());
  const auto loaded = raw("LoadImage", params("mine", source));
  CHECK(loaded == R"({"images":[{"id":"mine","type":"container","size":2,"status":"complete"}]})");
  CHECK(fake.has_image("localhost/mine:latest"));
  CHECK_FALSE(fake.has_image("alpine:latest"));
  raw("LoadImage", params("mine", source));
  CHECK(fake.count("POST /images/load") == 1);
  CHECK_THAT(refusal("LoadImage", params("mine", source + "x")), StartsWith("conflict"));
  raw("LoadImage", params("", source));
  CHECK(fake.has_image("localhost/busy:latest"));
  restart(); // where images came from is known after it
  raw("LoadImage", params("mine", source));
  CHECK(fake.count("POST /images/load") == 2);
}

TEST_CASE_METHOD(image_lab, "a folder that another process has is refused, and nothing of it is swept") {
  const auto half = settings.folder / "staging/half";
  std::ofstream{half} << "on its way";
  CHECK_THROWS_WITH((agents::container::container_agent{0, settings}), Contains("in use by another process"));
  CHECK(std::filesystem::exists(half));
  restart();
  CHECK_FALSE(std::filesystem::exists(half));
}

TEST_CASE_METHOD(image_lab, "what is no image archive, or has another sum, does not reach the engine") {
  const auto page = "file://" + dir.write("p", "<!DOCTYPE html><html></html>");
  CHECK_THAT(refusal("LoadImage", params("x", page)), Contains("page"));
  const auto text = "file://" + dir.write("t", std::string(5000, 'x'));
  CHECK_THAT(refusal("LoadImage", params("x", text)), Contains("no image archive"));
  const auto other = R"(,"sha256":")" + std::string(64, '0') + '"';
  CHECK_THAT(refusal("LoadImage", params("x", file(docker_archive()), other)), Contains("sha256"));
  CHECK(fake.count("POST /images/load") == 0);
  CHECK(std::filesystem::is_empty(settings.folder / "staging"));
}

TEST_CASE_METHOD(image_lab, "an error that comes in a body of status 200 is an error of the load") {
  fake.set_trouble([](const test::engine_call& c) -> std::optional<test::engine_reply> {
    if (c.path == "/images/load")
      return test::engine_reply{200, "{\"errorDetail\":{\"message\":\"no space left on device\"}}\n"};
    return std::nullopt;
  });
  CHECK(refusal("LoadImage", params("x", file(docker_archive()))) == "no space left on device");
  CHECK(refusal("LoadImage", params("", "gone")) == "manifest unknown");
}

TEST_CASE_METHOD(image_lab, "a source that is no URL is a reference that the engine pulls") {
  raw("LoadImage", params("", "alpine:3.19"));
  CHECK(fake.has_image("docker.io/library/alpine:3.19"));
  raw("LoadImage", params("own", "alpine:3.19"));
  CHECK(fake.has_image("localhost/own:latest"));
  raw("LoadImage", params("busybox", ""));
  CHECK(fake.has_image("docker.io/library/busybox:latest"));
  for (const auto* bad : {"Al pine", "a;b", "ftp:/x", "a&b=c"})
    CHECK_THAT(refusal("LoadImage", params("x", bad)), Contains("no reference"));
  CHECK_THAT(refusal("LoadImage", params("", "")), Contains("need source"));
}

TEST_CASE_METHOD(image_lab, "a sum of what the engine pulls is refused, because nobody could check it") {
  const auto sum = R"(,"sha256":")" + std::string(64, '0') + '"';
  for (const auto* source : {"alpine:3.19", ""})
    CHECK(refusal("LoadImage", params("busybox", source, sum)) == "sha256: only the archive behind a URL has one");
  CHECK(fake.count("POST /images/create") == 0);
}

TEST_CASE_METHOD(image_lab, "images are listed, found and deleted by their ids, and not while a container needs them") {
  fake.put_image("docker.io/library/alpine:3.19", "sha256:9");
  fake.put_image("<none>:<none>", "sha256:8");
  CHECK(raw("ListImages", params("", "")) ==
        R"({"images":[{"id":"alpine:3.19","type":"container","size":2,"status":"complete"},)"
        R"({"id":"bb","type":"container","size":2,"status":"complete"}]})");
  CHECK_THAT(raw("GetImage", params("bb", "")), Contains(R"("id":"bb")"));
  CHECK(refusal("GetImage", params("gone", "")) == "no such image");
  CHECK(refusal("DeleteImage", params("gone", "")) == "no such image");
  CHECK(refusal("GetImage", params("", "")) == "need an id");
  act("CreateContainer");
  CHECK_THAT(refusal("DeleteImage", params("bb", "")), StartsWith("in use"));
  act("DeleteContainer");
  raw("DeleteImage", params("bb", ""));
  CHECK_FALSE(fake.has_image("localhost/bb:latest"));
}
