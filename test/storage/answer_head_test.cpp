#include "rpc/fetch/answer_head.hpp"
#include "rpc/fetch/url_reader.hpp"

#include <catch2/catch.hpp>

#include <curl/curl.h>

using namespace mistify::fetching;

namespace {

answer_head head_of(const std::vector<std::string>& lines) {
  answer_head head;
  for (const auto& line : lines)
    head.take(line + "\r\n");
  return head;
}

constexpr auto monday = "Mon, 02 Nov 2026 10:00:00 GMT", a_second_later = "Mon, 02 Nov 2026 10:00:01 GMT";

} // namespace

TEST_CASE("the head of an answer is that of the last of several") {
  const auto head = head_of({"HTTP/1.1 100 Continue", "ETag: \"x\"", "", "HTTP/1.1 206 Partial", "content-LENGTH:  7 ",
                             "Content-Range: Bytes 3-9/10", "Content-Type: Text/HTML; a=b", ""});
  CHECK(head.etag.empty());
  CHECK(head.length == 7);
  CHECK(head.from == 3);
  CHECK(head.total == 10);
  CHECK(head.type == "text/html; a=b");
  CHECK(head_of({"Content-Range: bytes */10"}).total == 10);
  CHECK(head_of({"Content-Range: bytes */10"}).from == -1);
  CHECK(head_of({"Content-Range: bytes 1-2/*"}).total == -1);
  CHECK(head_of({"Content-Range: bytes"}).total == -1);
}

TEST_CASE("a body that is encoded is the file only where it is packed as files are") {
  for (const auto* good : {"identity", "GZIP", "x-gzip", "zstd", ""})
    CHECK(head_of({std::string{"Content-Encoding: "} + good}).is_readable());
  CHECK(head_of({"ETag: \"a\""}).is_readable());
  for (const auto* bad : {"br", "deflate", "aes128gcm", "gzip, br"})
    CHECK_FALSE(head_of({std::string{"Content-Encoding: "} + bad}).is_readable());
  CHECK_FALSE(head_of({"Content-Encoding: br", "content-encoding: gzip"}).is_readable());
}

TEST_CASE("a length is one number, told once or the same one again") {
  CHECK(head_of({"Content-Length: 7", "Content-Length: 7"}).length_is_valid);
  CHECK(head_of({"Content-Length: 9223372036854775807"}).length_is_valid);
  CHECK(head_of({"HTTP/1.1 200 OK", "ETag: \"a\""}).length_is_valid);
  CHECK(head_of({"Content-Length: x", "HTTP/1.1 200 OK", "Content-Length: 7"}).length_is_valid);
  for (const auto* bad : {"9223372036854775808", "99999999999999999999", "-5", "7x", "7, 7", "", "0x7"})
    CHECK_FALSE(head_of({std::string{"Content-Length: "} + bad}).length_is_valid);
  CHECK_FALSE(head_of({"Content-Length: 5", "Content-Length: 8"}).length_is_valid);
  CHECK_FALSE(head_of({"Content-Length: 99999999999999999999", "Content-Length: 8"}).length_is_valid);
}

TEST_CASE("a version is known by a strong ETag, or by a date that lies before the answer's") {
  CHECK(head_of({"ETag: \"a\""}).validator() == "\"a\"");
  CHECK(head_of({"ETag: W/\"a\"", std::string{"Last-Modified: "} + monday, std::string{"Date: "} + a_second_later})
          .validator()
          .empty());
  CHECK(head_of({std::string{"Last-Modified: "} + monday, std::string{"Date: "} + a_second_later}).validator() ==
        monday);
  CHECK(head_of({std::string{"Last-Modified: "} + monday, std::string{"Date: "} + monday}).validator().empty());
  CHECK(head_of({std::string{"Last-Modified: "} + monday}).validator().empty());
}

TEST_CASE("a part goes on with a version only where nothing speaks against it") {
  const auto first = head_of({"ETag: \"a\"", std::string{"Last-Modified: "} + monday});
  const std::string range = "Content-Range: bytes 3-9/10";
  CHECK(goes_on_with(first, 10, head_of({"ETag: \"a\"", std::string{"Last-Modified: "} + monday, range})));
  CHECK(goes_on_with(first, 10, head_of({"ETag: \"a\"", range})));
  CHECK(goes_on_with(first, -1, head_of({"ETag: \"a\"", range})));
  CHECK_FALSE(goes_on_with(first, 10, head_of({"ETag: \"b\"", range})));
  CHECK_FALSE(goes_on_with(first, 10, head_of({"ETag: W/\"a\"", range})));
  CHECK_FALSE(goes_on_with(first, 10, head_of({range})));
  CHECK_FALSE(goes_on_with(first, 11, head_of({"ETag: \"a\"", range})));
  CHECK_FALSE(goes_on_with(first, 10, head_of({"ETag: \"a\"", "Content-Range: bytes 3-9/*"})));
  CHECK_FALSE(
    goes_on_with(first, 10, head_of({"ETag: \"a\"", std::string{"Last-Modified: "} + a_second_later, range})));
  const auto dated = head_of({std::string{"Last-Modified: "} + monday});
  CHECK(goes_on_with(dated, 10, head_of({std::string{"Last-Modified: "} + monday, range})));
  CHECK_FALSE(goes_on_with(dated, 10, head_of({range})));
  CHECK_FALSE(goes_on_with(dated, 10, head_of({"ETag: \"a\"", std::string{"Last-Modified: "} + monday, range})));
}

TEST_CASE("streams of HTTP/2 that end early are retried as connections that break are") {
  for (const int code : {CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_HTTP3, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE,
                         CURLE_GOT_NOTHING, CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT})
    CHECK(helps_to_retry(code));
  for (const int code :
       {CURLE_PEER_FAILED_VERIFICATION, CURLE_TOO_MANY_REDIRECTS, CURLE_URL_MALFORMAT, CURLE_WRITE_ERROR})
    CHECK_FALSE(helps_to_retry(code));
}
