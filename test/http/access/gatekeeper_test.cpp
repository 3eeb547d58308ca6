#include "http/access/gatekeeper.hpp"
#include "http/access/token_secret.hpp"

#include <catch2/catch.hpp>

#include <chrono>

using namespace mistify;
using namespace mistify::http;
using namespace std::chrono_literals;

namespace {

const auto now = std::chrono::system_clock::from_time_t(1'000'000);
const peer_identity stranger{"192.0.2.1", {}, {}};

struct fixture {
  store::token_index tokens;
  std::vector<std::string> used;
  gatekeeper gate{rules(R"({"access":{"anonymous":"metrics"}})"), tokens,
                  [this](store::note_token_use use) { used.push_back(use.id); }};

  static std::shared_ptr<const policy> rules(const std::string& text) {
    return std::make_shared<const policy>(actors::parse_config({{"f.json", text}}));
  }

  static store::token token_of(const std::string& name, const std::string& role) {
    store::token token;
    token.name = name;
    token.role = role;
    return token;
  }

  std::string add(const std::string& name, const std::string& role) { return add(token_of(name, role)); }

  /// The header's value.
  std::string add(store::token token) {
    const auto secret = new_token_secret();
    token.id = new_token_id();
    token.hash = hash_of(secret);
    tokens.put(std::make_shared<const store::token>(token));
    return "Bearer " + write_token(token.id, secret);
  }

  principal_ptr identify(const std::string& header, std::chrono::system_clock::time_point at = now) {
    return gate.identify(stranger, header, at);
  }
};

} // namespace

TEST_CASE("a token is an identity with its role and its guests") {
  fixture f;
  auto limited = fixture::token_of("web", "operator");
  limited.guests = R"(["g"])";
  const auto who = f.identify(f.add(limited));
  REQUIRE(who);
  CHECK(who->how == identity_source::token);
  CHECK(who->name == "web");
  CHECK(who->role == "operator");
  CHECK(who->guests->ids == std::vector<std::string>{"g"});
  CHECK(f.identify("")->role == "metrics");
}

TEST_CASE("a token with single scopes has no role") {
  fixture f;
  auto single = fixture::token_of("x", "");
  single.scopes = "read power";
  const auto who = f.identify(f.add(single));
  REQUIRE(who);
  CHECK(who->role.empty());
  CHECK(who->scopes == actors::scope_set{actors::scope::read, actors::scope::power});
}

TEST_CASE("a token that is cut, doubled, altered or of another scheme is not valid") {
  fixture f;
  const auto header = f.add("x", "viewer");
  REQUIRE(f.identify(header));
  auto altered = header;
  altered.back() = altered.back() == 'A' ? 'B' : 'A';
  for (const auto& wrong :
       {header.substr(0, header.size() - 1), header + ", " + header, altered, header + "A", "Basic " + header.substr(7),
        std::string{"Bearer "}, std::string{"Bearer"}, header.substr(7), fixture{}.add("other", "admin")}) {
    INFO(wrong);
    CHECK_FALSE(f.identify(wrong));
  }
  CHECK(f.identify("bearer  " + header.substr(7))); // the scheme's case does not count
}

TEST_CASE("a token holds until it expires, and the secret before a rotation until its time is over") {
  fixture f;
  auto short_lived = fixture::token_of("x", "viewer");
  short_lived.expires = rpc::timestamp{now + 1h};
  const auto header = f.add(short_lived);
  CHECK(f.identify(header, now + 59min));
  CHECK_FALSE(f.identify(header, now + 1h));
  const auto old = f.add("y", "viewer");
  auto rotated = *f.tokens.find(parse_token(old.substr(7))->id);
  rotated.old = {{rotated.hash, rpc::timestamp{now + 10min}}};
  rotated.hash = hash_of("another");
  f.tokens.put(std::make_shared<const store::token>(rotated));
  CHECK(f.identify(old, now + 9min));
  CHECK_FALSE(f.identify(old, now + 10min));
}

TEST_CASE("the use of a token is noted once a minute, not once a request") {
  fixture f;
  const auto header = f.add("x", "viewer");
  for (int i = 0; i < 10; ++i)
    f.identify(header);
  CHECK(f.used.size() == 1);
  f.identify(header, now + 61s);
  CHECK(f.used.size() == 2);
}

TEST_CASE("new rules and a revoked token count at once, on open connections too") {
  fixture f;
  const auto header = f.add("x", "viewer");
  const auto who = f.identify(header);
  CHECK(f.gate.still_holds(*who, stranger, header, now));
  f.tokens.erase(parse_token(header.substr(7))->id);
  CHECK_FALSE(f.gate.still_holds(*who, stranger, header, now));
  const auto anonymous = f.identify("");
  f.gate.replace(fixture::rules(R"({"access":{}})"));
  CHECK(f.identify("")->scopes.empty());
  CHECK_FALSE(f.gate.still_holds(*anonymous, stranger, "", now));
}

TEST_CASE("new tokens differ and have the documented form") {
  const auto secret = new_token_secret(), id = new_token_id();
  CHECK(secret.size() == 43);
  CHECK(secret != new_token_secret());
  const auto text = write_token(id, secret);
  CHECK(text.starts_with("mst_"));
  const auto parts = parse_token(text);
  REQUIRE(parts);
  CHECK(parts->id == id);
  CHECK(parts->secret == secret);
  CHECK(hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
