#include "guarded_agent.hpp"
#include "tool.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;
using Catch::Contains;

namespace {

/// `mistify-agent token` against a running agent.
tool_result token(const std::string& socket, const std::string& words) {
  return run_tool(std::string{AGENT_BINARY} + " token " + words + " --socket " + socket);
}

std::string first_line(const tool_result& of) {
  return of.output.substr(0, of.output.find('\n'));
}

} // namespace

TEST_CASE("the token command makes a token, lists it, renews its secret and ends it") {
  if (::geteuid() != 0)
    return; // root is the admin
  guarded agent;
  const auto made = token(agent.socket, "add reader --role viewer --expires 2040-01-01T00:00:00Z");
  REQUIRE(made.code == 0);
  const auto secret = first_line(made);
  CHECK(agent.with(secret, "GET", "/guests").status == 200);
  CHECK(agent.with(secret, "POST", "/guests", "{}").status == 403);

  const auto listed = token(agent.socket, "list");
  CHECK(listed.code == 0);
  CHECK_THAT(listed.output, Contains("ID") && Contains("reader") && Contains("viewer") &&
                              Contains("2040-01-01T00:00:00Z") && !Contains(secret));

  const auto rotated = token(agent.socket, "rotate reader");
  REQUIRE(rotated.code == 0);
  CHECK(first_line(rotated) != secret);
  CHECK(agent.with(first_line(rotated), "GET", "/guests").status == 200);

  CHECK(token(agent.socket, "revoke " + secret.substr(4, 16)).code == 0); // by its id
  CHECK(agent.with(secret, "GET", "/guests").status == 401);
  CHECK(agent.with(first_line(rotated), "GET", "/guests").status == 401);
  CHECK_THAT(token(agent.socket, "list").output, !Contains("reader"));
}

TEST_CASE("the token command makes tokens of single scopes and for some guests only") {
  if (::geteuid() != 0)
    return;
  guarded agent;
  const auto by_id = token(agent.socket, "add one --scope read --guest 11111111-2222-4333-8444-555555555555");
  REQUIRE(by_id.code == 0);
  CHECK(agent.with(first_line(by_id), "GET", "/guests").body == "[]\n");
  CHECK_THAT(token(agent.socket, "list").output, Contains("one") && Contains("(scopes)"));
  const auto by_label = token(agent.socket, "add two --role operator --label team=a");
  REQUIRE(by_label.code == 0);
  CHECK_THAT(agent.with(first_line(by_label), "GET", "/whoami").body, Contains(R"("label":"team=a")"));
}

TEST_CASE("the token command says in a line what is wrong, and makes nothing") {
  if (::geteuid() != 0)
    return;
  guarded agent;
  const auto refused = [&](const std::string& words, const std::string& why) {
    const auto result = token(agent.socket, words);
    INFO(words << ": " << result.output);
    CHECK(result.code == 1);
    CHECK_THAT(result.output, Contains(why));
  };
  refused("add x --role nobody", "role");
  refused("add x --role viewer --label a=b --guest 11111111-2222-4333-8444-555555555555", "exclude each other");
  refused("add x --role viewer --label ''", "--label: must not be empty");
  refused("add x --role viewer --label=", "--label: must not be empty");
  refused("add '' --role viewer", "name: must not be empty");
  refused("revoke nosuch", "there is no token nosuch");
  refused("rotate nosuch", "there is no token nosuch");
  refused("forget x", "usage: mistify-agent token add|list|revoke|rotate");
  const auto nowhere = token(agent.socket + ".not", "list");
  CHECK(nowhere.code == 1);
  CHECK_THAT(nowhere.output, Contains(agent.socket + ".not"));
  CHECK_THAT(token(agent.socket, "list").output, !Contains(" x "));
}
