#include "actors/config/config.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

using namespace mistify;
using namespace mistify::actors;

namespace {

config parse(const std::string& text) {
  return parse_config({{"f.json", text}});
}

std::string refusal(const std::string& text) {
  try {
    parse(text);
  } catch (const rpc::failure& e) {
    return e.message();
  }
  return "taken";
}

} // namespace

TEST_CASE("without access every client may do everything") {
  CHECK_FALSE(parse("{}").access);
  CHECK_FALSE(parse("{}").tls);
}

TEST_CASE("access names users, groups and certificates, each with a role") {
  const auto read = parse(R"({"access":{
    "unix":[{"user":"root","role":"admin"},{"group":"0","role":"operator"}],
    "certs":[{"san":"spiffe://cluster/controller","role":"controller"},
             {"sha256":")" +
                          std::string(64, 'a') + R"(","role":"viewer","guests":["b","a"]},
             {"san":"web","role":"viewer","guests":{"label":"team=web"}}],
    "anonymous":"viewer"}})");
  REQUIRE(read.access);
  REQUIRE(read.access->unix_peers.size() == 2);
  CHECK(read.access->unix_peers[0].user == 0);
  CHECK(read.access->unix_peers[1].group == 0);
  REQUIRE(read.access->certs.size() == 3);
  CHECK(read.access->certs[1].guests->ids == std::vector<std::string>{"a", "b"});
  CHECK(read.access->certs[2].guests->label == std::pair<std::string, std::string>{"team", "web"});
  CHECK(read.access->anonymous == "viewer");
}

TEST_CASE("access that cannot be meant so is refused by the name of its member") {
  const std::vector<std::pair<std::string, std::string>> wrong{
    {R"({"access":null})", "f.json: access: must be an object"},
    {R"({"access":{"unix":[{"user":"no-such-user","role":"admin"}]}})",
     "f.json: access.unix[0].user: there is no user \"no-such-user\""},
    {R"({"access":{"unix":[{"group":"no-such-group","role":"admin"}]}})",
     "f.json: access.unix[0].group: there is no group \"no-such-group\""},
    {R"({"access":{"unix":[{"user":"root","role":"king"}]}})",
     "f.json: access.unix[0].role: there is no role \"king\": viewer, operator, controller, metrics, sub-agent, admin "
     "or "
     "none"},
    {R"({"access":{"anonymous":"sub-agent"}})",
     "f.json: access.anonymous: a client without an identity is no service's, and may not report"},
    {R"({"access":{"unix":[{"user":"root","group":"root","role":"admin"}]}})",
     "f.json: access.unix[0]: needs either user or group"},
    {R"({"access":{"unix":[{"user":"root"}]}})", "f.json: access.unix[0]: needs a role"},
    {R"({"access":{"unix":[{"user":"root","role":"admin","guests":["x"]}]}})",
     "f.json: access.unix[0].guests: is not known"},
    {R"({"access":{"certs":[{"role":"admin"}]}})", "f.json: access.certs[0]: needs either san or sha256"},
    {R"({"access":{"certs":[{"sha256":"AB","role":"admin"}]}})",
     "f.json: access.certs[0].sha256: must be the SHA-256 of the certificate in 64 lower-case hex digits"},
    {R"({"access":{"certs":[{"san":"x","role":"viewer","guests":{"label":"=x"}}]}})",
     "f.json: access.certs[0].guests.label: must be KEY=VALUE"},
    {R"({"access":{"certs":[{"san":"x","role":"admin","guests":["g"]}]}})",
     "f.json: access.certs[0].guests: the role admin cannot be limited to some guests"},
    {R"({"http":{"names":["agent.example","http://agent.example"]}})",
     "f.json: http.names: \"http://agent.example\" is no host name"},
    {R"({"http":{"names":[""]}})", "f.json: http.names: \"\" is no host name"},
    {R"({"access":{"Unix":[]}})", "f.json: access.Unix: is not known"},
    {R"({"Access":{}})", "f.json: Access: the name of this key is in lower case"},
    {R"({"http":{"Listen":[]}})", "f.json: http.Listen: the name of this key is http.listen"},
    {R"({"tls":{"cert":"a"}})", "f.json: tls: needs cert and key"},
    {R"({"tls":{"cert":"a","key":"b","crl":"c"}})", "f.json: tls.crl: needs client_ca"},
    {R"({"tls":{"cert":"a","key":"b","min_version":"1.1"}})", "f.json: tls.min_version: must be \"1.2\" or \"1.3\""},
  };
  for (const auto& [text, why] : wrong) {
    INFO(text);
    CHECK(refusal(text) == why);
  }
}

TEST_CASE("two files cannot both say who may do what") {
  try {
    parse_config({{"a.json", R"({"access":{}})"}, {"b.json", R"({"access":{}})"}});
    FAIL("taken");
  } catch (const rpc::failure& e) {
    CHECK(e.message() == "b.json: access has already been defined");
  }
}

TEST_CASE("a service is behind a port or a socket, and its socket has an owner") {
  const auto read = parse(R"({"services":{"x":{"socket":"/run/mistify/x.sock","user":"root"}}})");
  CHECK(read.services.at("x").socket == "/run/mistify/x.sock");
  CHECK(read.services.at("x").user == 0);
  CHECK(refusal(R"({"services":{"x":{"socket":"/x","port":1}}})") == "service x has both a port and a socket");
  CHECK(refusal(R"({"services":{"x":{"port":1,"user":"root"}}})") ==
        "services.x.user: needs a socket, of which the kernel says whose it is");
  CHECK(refusal(R"({"services":{"x":{"socket":"relative"}}})") ==
        "services.x.socket: must be an absolute path of at most 107 bytes");
}

TEST_CASE("roles bundle scopes as the table says") {
  const auto scopes = [](std::string_view role) {
    std::string all;
    for (const auto name : find_role(role)->names())
      all.append(all.empty() ? "" : " ").append(name);
    return all;
  };
  CHECK(scopes("none").empty());
  CHECK(scopes("viewer") == "read metrics");
  CHECK(scopes("operator") == "read metadata power snapshot console metrics");
  CHECK(scopes("controller") == "read metadata power guest snapshot data image console metrics");
  CHECK(scopes("metrics") == "metrics");
  CHECK(scopes("sub-agent") == "report");
  CHECK(scopes("admin") == "read metadata power guest snapshot data image console metrics report debug admin");
  CHECK_FALSE(find_role("king"));
  CHECK(role_of(*find_role("operator")) == "operator");
  CHECK(role_of({scope::read, scope::debug}).empty());
}
