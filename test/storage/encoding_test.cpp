#include "fetch_lab.hpp"

#include <catch2/catch.hpp>

using namespace mistify::agents::storage;
using namespace mistify::test;
using Catch::Contains;

namespace {

bool is_for_sum(const std::string& request) {
  return request.find(".sha256") != request.npos;
}

} // namespace

TEST_CASE_METHOD(fetch_lab,
                 "a source is asked for the file as it is, and refused where it sends it encoded otherwise") {
  std::string encoding = "identity";
  web.special = [&](const std::string& request) {
    return is_for_sum(request) ? web.answer("404 Not Found", "")
                               : web.answer("200 OK", web.body, "Content-Encoding: " + encoding + "\r\n");
  };
  get(web.url());
  CHECK(content == web.body);
  for (const std::string other : {"br", "deflate", "aes128gcm"}) {
    encoding = other;
    CHECK_THROWS_WITH(get(web.url()), "the source sent it encoded as " + other);
  }
  CHECK(web.requests().size() == 8); // none of them is tried again
  for (const auto& request : web.requests())
    CHECK_THAT(request, Contains("\r\nAccept-Encoding: identity\r\n"));
}

TEST_CASE_METHOD(fetch_lab, "a sum that the source sends encoded is told, and keeps no image back") {
  web.special = [&](const std::string& request) {
    return is_for_sum(request) ? web.answer("200 OK", "x", "Content-Encoding: br\r\n") : web.answer("200 OK", web.body);
  };
  get(web.url());
  CHECK(content == web.body);
  CHECK_THAT(progress.text(), Contains("disk.img.sha256: the source sent it encoded as br"));
}
