#include "actors/runner/image_work.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using actors::read_image_work;

TEST_CASE("an image is known by its id, else by what it is fetched from, else by its name") {
  CHECK(read_image_work(R"({"id":"i","source":"http://h/s","name":"n"})").image == "i");
  CHECK(read_image_work(R"({"id":"","source":"http://h/s","name":"n"})").image == "http://h/s");
  CHECK(read_image_work(R"({"name":"n"})").image == "n");
  CHECK(read_image_work("{}").image.empty());
}

TEST_CASE("fetches from one server count as such however its URL is spelled") {
  const auto host_of = [](const std::string& source) {
    return read_image_work(R"({"source":")" + source + R"("})").source_host;
  };
  for (const auto* same : {"http://h.example/a", "https://H.Example:8443/b?c", "http://user:p@ss@h.example./",
                           "http://h.example?@other/", "http://h.example\\\\@other/"}) {
    INFO(same);
    CHECK(host_of(same) == "h.example");
  }
  CHECK(host_of("http://[::1]:80/a") == "[::1]");
  CHECK(host_of("file:///images/a").empty());
  CHECK(host_of("images/a").empty());
}

TEST_CASE("a request about an image that cannot be read is about none") {
  for (const auto* request : {"", "{", "[]", R"("id")", R"({"id":1,"source":["http://h/"],"name":null})"}) {
    INFO(request);
    const auto work = read_image_work(request);
    CHECK(work.image.empty());
    CHECK(work.source_host.empty());
  }
}
