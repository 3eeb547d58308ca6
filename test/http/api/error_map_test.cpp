#include "http/api/error_map.hpp"
#include "rpc/base/json.hpp"
#include "rpc/client/client.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace mistify;
using rpc::errc;

TEST_CASE("each error has the status that the contract gives it") {
  const std::pair<errc, int> table[] = {
    {errc::invalid_request, 400},
    {errc::not_found, 404},
    {errc::not_configured, 404},
    {errc::method_not_allowed, 405},
    {errc::conflict, 409},
    {errc::precondition_failed, 412},
    {errc::too_large, 413},
    {errc::forbidden, 403},
    {errc::queue_full, 429},
    {errc::internal, 500},
    {errc::sub_agent_failed, 502},
    {errc::sub_agent_timeout, 502},
    {errc::storage_failed, 503},
    {errc::insufficient_space, 507},
    {errc::unavailable, 503},
    {errc::deadline_exceeded, 504},
    // What sub-agents say by a code:
    {errc::sub_agent_unreachable, 502},
    {errc::sub_agent_refused, 400},
    {errc::sub_agent_not_found, 404},
    {errc::sub_agent_conflict, 409},
    {errc::sub_agent_in_use, 409},
    {errc::sub_agent_no_space, 507},
    {errc::sub_agent_no_memory, 507},
  };
  for (const auto& [code, status] : table) {
    INFO(rpc::to_string(code));
    CHECK(http::status_of(code) == status);
  }
}

TEST_CASE("an error body has message, code and a stack that names where it was raised") {
  rpc::failure why{errc::not_found, "no \"such\" guest"};
  why.through("runner x");
  const auto answer = http::error_answer(why);
  CHECK(answer.status == 404);
  const auto body = rpc::json::document::parse(answer.text());
  CHECK(body.root().find("message")->as_string("") == "no \"such\" guest");
  CHECK(body.root().find("code")->as_int("") == 404);
  const auto stack = body.root().find("stack")->items("");
  REQUIRE(stack.size() == 2);
  CHECK(stack[0].get().as_string("").starts_with("test/http/api/error_map_test.cpp:"));
  CHECK(stack[1].get().as_string("") == "runner x");
}

TEST_CASE("answers that may be better later say when") {
  for (const auto code : {errc::queue_full, errc::unavailable, errc::storage_failed}) {
    const auto answer = http::error_answer(rpc::failure{code, "x"});
    REQUIRE(answer.headers.size() == 1);
    CHECK(answer.headers[0].first == "Retry-After");
  }
}

TEST_CASE("a refused download keeps the sub-agent's status and text") {
  const auto answer = http::error_answer(std::make_exception_ptr(rpc::download_refused{418, "teapot"}));
  CHECK(answer.status == 418);
  CHECK(answer.text().find("teapot") != std::string::npos);
}

TEST_CASE("anything else that is thrown is a fault of the agent") {
  CHECK(http::error_answer(std::make_exception_ptr(std::runtime_error{"x"})).status == 500);
  CHECK(http::error_answer(std::make_exception_ptr(7)).status == 500);
}

TEST_CASE("an error that quotes megabytes is told in a few") {
  const auto answer = http::error_answer(rpc::failure{errc::sub_agent_failed, std::string(5'000'000, 'x')});
  CHECK(answer.text().size() < 8192);
}
