#include "rpc/http1/door.hpp"

#include <catch2/catch.hpp>

using namespace mistify::rpc;

namespace {

/// The status that refuses a request with these Hosts; 0 where it is taken.
int judged(const door& by, std::vector<std::string_view> hosts, std::string_view target = "/", bool http_1_0 = false) {
  addressed_to to{.target = target, .hosts = hosts.size(), .http_1_0 = http_1_0};
  if (!hosts.empty())
    to.host = hosts.back();
  const auto no = by.refuse(to);
  return no ? no->status : 0;
}

std::string parts(std::string_view text) {
  const auto a = parse_authority(text);
  return a ? std::string{a->host} + '|' + std::string{a->port} : "none";
}

} // namespace

TEST_CASE("an authority is a host, with or without a port") {
  CHECK(parts("a.example") == "a.example|");
  CHECK(parts("a.example:80") == "a.example|80");
  CHECK(parts("127.0.0.1:") == "127.0.0.1|");
  CHECK(parts("[::1]:8080") == "[::1]|8080");
  CHECK(parts("[fe80::1%25eth0]") == "[fe80::1%25eth0]|");
  CHECK(parts("a_b%2d") == "a_b%2d|");
  for (const auto* none :
       {"",          ":80", "a b",    "a/b", "user@a", "a:b",  "a:80:80", "a:65536", "::1",      "[::1",    "[::1]80",
        "[1.2.3.4]", "[]",  "[::1%]", "a%2", "a%zz",   "a\tb", "a:-1",    "a:+1",    "http://a", "\xc3\xa4"}) {
    INFO(none);
    CHECK(parts(none) == "none");
  }
}

TEST_CASE("the authority of an absolute target is what stands before its path") {
  CHECK(authority_of_target("http://a:1/b?c") == "a:1");
  CHECK(authority_of_target("HTTPS://a") == "a");
  CHECK(authority_of_target("http://a?b") == "a");
  CHECK(authority_of_target("http:///b") == "");
  for (const auto* other : {"/http://a", "*", "a:80", "ftp://a/", ""})
    CHECK_FALSE(authority_of_target(other));
}

TEST_CASE("addresses, localhost and the names that are given are answered, others are misdirected") {
  const door known{{"Node-1.Example.", "short", "port.example:8443"}};
  for (const auto* host : {"127.0.0.1", "192.0.2.7:8080", "[::1]", "[2001:db8::1]:80", "localhost", "LocalHost:1",
                           "localhost.", "node-1.example", "NODE-1.EXAMPLE.:8080", "short", "port.example"}) {
    INFO(host);
    CHECK(judged(known, {host}) == 0);
  }
  for (const auto* host : {"evil.example", "evil.example:8080", "node-1.example.evil", "example", "x.localhost",
                           "127.0.0.1.evil", "127.1", "2130706433", "0x7f.0.0.1", "*"}) {
    INFO(host);
    CHECK(judged(known, {host}) == 421);
  }
  CHECK(judged(door{{"*"}}, {"evil.example"}) == 0);
}

TEST_CASE("HTTP/1.1 needs exactly one Host, and a valid one, whatever names are known") {
  for (const door& d : {door{{}}, door{{"*"}}}) {
    CHECK(judged(d, {}) == 400);
    CHECK(judged(d, {"localhost", "localhost"}) == 400);
    CHECK(judged(d, {""}) == 400);
    CHECK(judged(d, {"a b/c@d"}) == 400);
    CHECK(judged(d, {}, "/", true) == 0);
    CHECK(judged(d, {"localhost", "localhost"}, "/", true) == 400);
  }
  CHECK(judged(door{{}}, {"evil.example"}, "/", true) == 421);
}

TEST_CASE("the authority of an absolute target replaces the Host") {
  const door d{{}};
  CHECK(judged(d, {"localhost"}, "http://evil.example/guests") == 421);
  CHECK(judged(d, {"evil.example"}, "http://localhost/guests") == 0);
  CHECK(judged(d, {"localhost"}, "http://user@localhost/") == 400);
  CHECK(judged(d, {}, "http://localhost/") == 400);
}

TEST_CASE("who does not come by a name may use any, but a valid one") {
  const door d{{}};
  CHECK_FALSE(d.refuse({.host = "anything.example", .hosts = 1, .any_name = true}));
  CHECK(d.refuse({.host = "a b", .hosts = 1, .any_name = true}));
}

TEST_CASE("a request is cross-site by what the browser says of it, or by an origin that is not the host") {
  const auto cross = [](sent_from page, std::string_view host = "127.0.0.1:8080") { return is_cross_site(page, host); };
  CHECK_FALSE(cross({}));
  CHECK_FALSE(cross({.fetch_site = "same-origin"}));
  CHECK_FALSE(cross({.fetch_site = "none"}));
  for (const auto* site : {"cross-site", "same-site", "", "same-origin, none", "Same-Origin"})
    CHECK(cross({.fetch_site = site}));
  CHECK_FALSE(cross({.origin = "http://127.0.0.1:8080"}));
  CHECK_FALSE(cross({.origin = "HTTP://LOCALHOST"}, "localhost"));
  CHECK_FALSE(cross({.origin = "http://localhost"}, "localhost:80"));
  CHECK_FALSE(cross({.origin = "https://agent.example"}, "agent.example"));
  CHECK_FALSE(cross({.origin = "http://[::1]:1"}, "[::1]:1"));
  for (const auto* origin : {"null", "", "http://127.0.0.1", "http://127.0.0.1:8081", "http://localhost:8080",
                             "http://evil.example", "file://", "127.0.0.1:8080", "ftp://127.0.0.1:8080",
                             "http://127.0.0.1:8080/", "http://127.0.0.1:8080, http://127.0.0.1:8080"}) {
    INFO(origin);
    CHECK(cross({.origin = origin}));
  }
  CHECK(cross({.fetch_site = "same-origin", .origin = "http://evil.example"}));
  CHECK(cross({.fetch_site = "cross-site", .origin = "http://127.0.0.1:8080"}));
  CHECK(cross({.origin = "http://localhost"}, ""));
}

TEST_CASE("the machine's names hold the one that is set, and its first label") {
  const auto& names = machine_names();
  REQUIRE(names.size() == 3);
  CHECK(names[0].starts_with(names[1]));
  CHECK(names[1].find('.') == std::string::npos);
  CHECK(&names == &machine_names());
}
