#include "rpc/base/url_text.hpp"

#include <catch2/catch.hpp>

#include <string>

using mistify::rpc::split_url;

namespace {

/// The parts in one line.
std::string parts_of(std::string_view url) {
  const auto parts = split_url(url);
  if (!parts)
    return "none";
  std::string all{parts->scheme};
  for (const auto part : {parts->user_info, parts->host, parts->port, parts->rest})
    all.append(" | ").append(part);
  return all;
}

} // namespace

TEST_CASE("the text of a URL is cut into its parts") {
  CHECK(parts_of("http://h/a?b#c") == "http |  | h |  | /a?b#c");
  CHECK(parts_of("https://u:p@Host.:8443/a") == "https | u:p | Host. | 8443 | /a");
  CHECK(parts_of("file:///a/b") == "file |  |  |  | /a/b");
  CHECK(parts_of("://h") == " |  | h |  | ");
  CHECK(parts_of("http://") == "http |  |  |  | ");
  CHECK(split_url("http://u@h:1/")->authority == "u@h:1");
}

TEST_CASE("what is no URL has no parts") {
  for (const auto* text : {"", "h", "http:/h", "/images/a.qcow2", "id"})
    CHECK(parts_of(text) == "none");
}

TEST_CASE("the host of a URL is what is behind the last @ and before the port") {
  CHECK(parts_of("http://u:s@cret@h/x@y") == "http | u:s@cret | h |  | /x@y");
  CHECK(parts_of("http://h?@x/y") == "http |  | h |  | ?@x/y");
  CHECK(parts_of("http://h#:1") == "http |  | h |  | #:1");
  CHECK(parts_of("http://u\\@h/x") == "http |  | u |  | \\@h/x");
  CHECK(parts_of("http://h:/x") == "http |  | h |  | /x");
}

TEST_CASE("the colons of an IPv6 address are no port's") {
  CHECK(parts_of("http://[::1]/a") == "http |  | [::1] |  | /a");
  CHECK(parts_of("http://u@[fe80::1]:80/a") == "http | u | [fe80::1] | 80 | /a");
}
