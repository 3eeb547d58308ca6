#include "http/access/policy.hpp"

#include <catch2/catch.hpp>

#include <chrono>

using namespace mistify;
using namespace mistify::http;

namespace {

const auto now = std::chrono::system_clock::from_time_t(1'000'000);
const std::string pin(64, 'a');

policy rules_of(const std::string& text) {
  return policy{actors::parse_config({{"f.json", text}})};
}

peer_identity process(uid_t uid, std::vector<gid_t> groups = {}) {
  return {"local", unix_peer{uid, 0, 17, std::move(groups)}, {}};
}

peer_identity certificate(std::vector<std::string> sans, std::string cn = "", bool by_ca = true,
                          std::string hash = "") {
  return {"192.0.2.1", {}, cert_peer{std::move(sans), std::move(cn), std::move(hash), by_ca, 2'000'000}};
}

} // namespace

TEST_CASE("without access every client is unrestricted and has no name") {
  const auto open = rules_of("{}");
  CHECK(open.is_open());
  for (const auto& peer : {process(4711), certificate({"x"}), peer_identity{"192.0.2.1", {}, {}}}) {
    const auto who = open.identify(peer, now);
    CHECK(who->role == "admin");
    CHECK(who->key.empty());
    CHECK(who->is_anonymous());
  }
}

TEST_CASE("a process gets the union of what its user and its groups may") {
  const auto rules = rules_of(R"({"access":{"unix":[
    {"user":"4711","role":"viewer"},{"group":"5000","role":"metrics"},{"group":"5001","role":"operator"}]}})");
  const auto viewer = rules.identify(process(4711), now);
  CHECK(viewer->role == "viewer");
  CHECK(viewer->how == identity_source::unix_socket);
  CHECK(viewer->name == "4711");
  CHECK(viewer->key == "unix:4711");
  CHECK(rules.identify(process(4711, {5001}), now)->role == "operator");
  CHECK(rules.identify(process(9, {5000}), now)->role == "metrics");
  const auto stranger = rules.identify(process(9, {4711}), now);
  CHECK(stranger->is_anonymous());
  CHECK(stranger->scopes.empty());
}

TEST_CASE("a sub-agent's user reports for its services unless a rule names it; root never does") {
  const auto rules = rules_of(R"({"services":{"one":{"socket":"/a","user":"4711"},"two":{"socket":"/b","user":"4711"},
    "three":{"socket":"/c","user":"root"},"four":{"socket":"/d","user":"4712"}},
    "access":{"unix":[{"user":"4712","role":"viewer"}]}})");
  const auto agent = rules.identify(process(4711), now);
  CHECK(agent->role == "sub-agent");
  CHECK(agent->services == std::vector<std::string>{"one", "two"});
  CHECK(rules.identify(process(4712), now)->role == "viewer");
  CHECK(rules.identify(process(0), now)->is_anonymous());
}

TEST_CASE("who reports by a rule does so for the services of its user only, and for none without one") {
  const auto rules = rules_of(R"({"services":{"one":{"socket":"/a","user":"4711"}},
    "access":{"unix":[{"user":"4711","role":"sub-agent"},{"user":"4712","role":"sub-agent"},
      {"user":"4713","role":"sub-agent"},{"user":"4713","role":"operator"},{"user":"0","role":"admin"}],
    "certs":[{"san":"a","role":"sub-agent"}]}})");
  const auto own = rules.identify(process(4711), now);
  CHECK(own->services == std::vector<std::string>{"one"});
  CHECK_FALSE(own->reports_for_all());
  for (const auto& peer : {process(4712), process(4713), certificate({"a"})}) {
    const auto other = rules.identify(peer, now);
    CHECK(other->may(actors::scope::report));
    CHECK(other->services.empty());
    CHECK_FALSE(other->reports_for_all());
  }
  CHECK(rules.identify(process(0), now)->reports_for_all());
}

TEST_CASE("a certificate counts by its pin, then by its names, and by its common name only without those") {
  const auto rules = rules_of(R"({"access":{"certs":[{"san":"a","role":"viewer"},{"san":"cn","role":"metrics"},
    {"sha256":")" + pin + R"(","role":"controller","guests":["g"]}]}})");
  CHECK(rules.identify(certificate({"z", "a"}), now)->role == "viewer");
  CHECK(rules.identify(certificate({}, "cn"), now)->role == "metrics");
  CHECK(rules.identify(certificate({"z"}, "cn"), now)->is_anonymous());
  const auto pinned = rules.identify(certificate({"a"}, "", false, pin), now);
  CHECK(pinned->role == "controller");
  CHECK(pinned->guests->ids == std::vector<std::string>{"g"});
  CHECK(rules.identify(certificate({"a"}, "", false), now)->is_anonymous());
}

TEST_CASE("certificates of one name are one identity, and a pinned one is an identity of its own") {
  const std::string other(64, 'b');
  const auto rules = rules_of(R"({"access":{"certs":[{"san":"a","role":"viewer"},{"san":"b","role":"viewer"},
    {"sha256":")" + pin + R"(","role":"viewer"},{"sha256":")" +
                              other + R"(","role":"viewer"}]}})");
  const auto key = [&](const peer_identity& peer) { return rules.identify(peer, now)->key; };
  CHECK(key(certificate({"a"}, "", true, "1")) == key(certificate({"z", "a"}, "", true, "2")));
  CHECK(key(certificate({"a"}, "", true, "1")) == key(certificate({}, "a", true, "3")));
  CHECK(key(certificate({"a"}, "", true, "1")) != key(certificate({"b"}, "", true, "1")));
  CHECK(key(certificate({"a"}, "", true, pin)) != key(certificate({"a"}, "", true, "1")));
  CHECK(key(certificate({"a"}, "", true, pin)) != key(certificate({"a"}, "", true, other)));
}

TEST_CASE("a certificate that has expired since the handshake is no identity") {
  const auto rules = rules_of(R"({"access":{"certs":[{"san":"a","role":"viewer"}]}})");
  const auto late = std::chrono::system_clock::from_time_t(2'000'000);
  CHECK(rules.identify(certificate({"a"}), late)->is_anonymous());
}

TEST_CASE("a client without identity has the anonymous role") {
  const auto rules = rules_of(R"({"access":{"anonymous":"viewer"}})");
  const auto who = rules.identify({"192.0.2.1", {}, {}}, now);
  CHECK(who->is_anonymous());
  CHECK(who->role == "viewer");
  CHECK(who->may(actors::scope::read));
  CHECK_FALSE(who->may(actors::scope::power));
}
