#include "rpc/fetch/url.hpp"

#include <catch2/catch.hpp>

using namespace mistify::fetching;

TEST_CASE("no user info, query or fragment of a URL is left in what is shown of it") {
  CHECK(without_secrets("http://user:secret@h:80/a/b.img?token=secret#secret") == "http://h:80/a/b.img");
  CHECK(without_secrets("https://secret@h") == "https://h");
  CHECK(without_secrets("http://u:s@cret@h/x@y") == "http://h/x@y");
  CHECK(without_secrets("http://u:p@h?secret@x/y") == "http://h");
  CHECK(without_secrets("http://h/a b") == "http://h/a b");
  CHECK(without_secrets("file:///a/b") == "file:///a/b");
  CHECK(without_secrets("here?secret") == "here");
  CHECK(without_secrets("").empty());
}

TEST_CASE("of spellings that only curl understands nothing but the scheme is shown, and they are no source") {
  for (const std::string odd :
       {"http:///user:secret@host/x", "http://user:pa\\secret@host/x", "http:/user:secret@host/a://b",
        "http:\\\\user:secret@host/x", "http:////user:secret@host/x", "http://u:secret\n@host/x"}) {
    INFO(odd);
    CHECK(without_secrets(odd) == "http://…");
    CHECK_THROWS_WITH(parse_url(odd), "source: must be an http, https or file URL");
  }
  CHECK(without_secrets("user:secret@http://h/x") == "user://…");
  CHECK(parse_url("file:///a\\b").path == "/a\\b");
  CHECK(parse_url("FILE:///a/b").path == "/a/b");
  CHECK(parse_url("http://user:secret@h/a\\b").host == "h");
}

TEST_CASE("two are of one origin when scheme, host and port are the same") {
  const auto same = [](const std::string& a, const std::string& b) { return same_origin(parse_url(a), parse_url(b)); };
  CHECK(same("http://h/a", "HTTP://u:p@H:80/b?c"));
  CHECK(same("https://h:443/", "https://h"));
  CHECK_FALSE(same("http://h/", "https://h/"));
  CHECK_FALSE(same("http://h/", "http://h:81/"));
  CHECK_FALSE(same("http://h/", "http://h.evil/"));
  CHECK_FALSE(same("http://h@evil/", "http://h/"));
  CHECK_FALSE(same("file:///a", "file:///b"));
}

TEST_CASE("a URL is read into its parts, and what is none is refused without being shown") {
  const auto url = parse_url("https://us%65r:p%40ss@Host/a%20b?q=1#f");
  CHECK(url.user == "user");
  CHECK(url.password == "p@ss");
  CHECK(url.text() == "https://host:443/a%20b?q=1");
  CHECK(resolve_url(url, "/c").text() == "https://host:443/c");
  CHECK(resolve_url(url, "/c").user.empty());
  CHECK(resolve_url(url, "//x/c").host == "x");
  for (const std::string bad :
       {"", "h/x", "ftp://h/x", "http://u:secret/x@h:y/", "http:///", "http://h/\r\nX: y", "://"})
    CHECK_THROWS_WITH(parse_url(bad), "source: must be an http, https or file URL");
  CHECK_THROWS_AS(parse_url(std::string{"http://h/\0x", 11}), std::invalid_argument);
}

TEST_CASE("a file beside another has the same query, and its name before it") {
  CHECK(beside("http://h/x.img", ".sha256") == "http://h/x.img.sha256");
  CHECK(beside("http://u:p@h/x.img?sig=a/b#f", ".sha256") == "http://u:p@h/x.img.sha256?sig=a/b");
  CHECK(beside("http://h/x.img#f", ".sha256") == "http://h/x.img.sha256");
  CHECK(beside("http://h:8000", ".sha256") == "http://h:8000/.sha256");
  CHECK(beside("https://u:p@h?sig=a/b", ".sha256") == "https://u:p@h/.sha256?sig=a/b");
  CHECK(parse_url(beside("http://u:p@h#f", ".sha256")).host == "h");
  CHECK(file_name_of("http://h/a/b.qcow2.gz?x/y") == "b.qcow2.gz");
  CHECK(file_name_of("http://u:secret@h").empty());
  CHECK(file_name_of("http://u:secret@h?x=/y").empty());
}
