#include "guarded_agent.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;
using Catch::Contains;

namespace {

bool is_root() {
  return ::geteuid() == 0;
}

/// What the audit has for that query, once it has the text.
bool audited(const guarded& agent, const std::string& query, const std::string& text) {
  return eventually([&] { return agent.root(get("/audit?" + query)).find(text) != std::string::npos; });
}

} // namespace

TEST_CASE("the audit says of a client without an identity that it is anonymous") {
  if (!is_root())
    return;
  const guarded agent;
  CHECK(agent.h.http.get("/guests").status == 401);
  CHECK(audited(agent, "how=anonymous", R"("how":"anonymous","scope":"read","decision":"refused","status":401)"));
  CHECK_THAT(agent.root(get("/audit?how=nobody")), Contains(" 400 "));
}
