#include "http/api/pending_requests.hpp"

#include <caf/all.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <string>
#include <variant>
#include <vector>

using namespace mistify;
using namespace std::chrono_literals;

namespace {

constexpr auto long_enough = 1h;

/// What requests were answered with: texts, or "CODE: message".
struct answers {
  std::vector<std::string> all;

  http::reply_handler to() {
    return [this](const rpc::outcome<caf::message>& with) {
      if (const auto* why = std::get_if<rpc::failure>(&with))
        all.push_back(std::string{rpc::to_string(why->code())} + ": " + why->message());
      else
        all.push_back(std::get<caf::message>(with).get_as<std::string>(0));
    };
  }
};

caf::message text(std::string what) {
  return caf::make_message(std::move(what));
}

} // namespace

TEST_CASE("a request that waits is answered once, and by its number") {
  answers got;
  http::pending_requests waiting;
  const auto first = waiting.add(long_enough, got.to());
  const auto second = waiting.add(long_enough, got.to());
  REQUIRE((first && second && *first != *second));
  CHECK(waiting.awaits(*first));
  waiting.answer(*second, text("2"));
  waiting.answer(*first, text("1"));
  waiting.answer(*first, text("again"));
  waiting.answer(*second + 1, text("nobody's"));
  CHECK_FALSE(waiting.awaits(*first));
  CHECK(got.all == std::vector<std::string>{"2", "1"});
}

TEST_CASE("a handler may ask the next question") {
  answers got;
  http::pending_requests waiting;
  std::optional<std::uint64_t> next;
  const auto first = waiting.add(long_enough, [&](const auto&) { next = waiting.add(long_enough, got.to()); });
  waiting.answer(*first, text("1"));
  REQUIRE(next);
  waiting.answer(*next, text("2"));
  CHECK(got.all == std::vector<std::string>{"2"});
}

TEST_CASE("when the agent stops, what waits and what comes later is refused") {
  answers got;
  {
    http::pending_requests waiting;
    const auto open = waiting.add(long_enough, got.to());
    waiting.close();
    CHECK(got.all.size() == 1);
    CHECK_FALSE(waiting.awaits(*open));
    CHECK_FALSE(waiting.add(long_enough, got.to()));
    waiting.answer(*open, text("late"));
  }
  CHECK(got.all == std::vector<std::string>(2, "unavailable: the agent is stopping"));
}

TEST_CASE("a request that nobody answers is refused at its deadline, and one with more time is not") {
  std::promise<rpc::outcome<caf::message>> refused;
  answers got;
  http::pending_requests waiting;
  const auto patient = waiting.add(long_enough, got.to());
  const auto late = waiting.add(0ms, [&](rpc::outcome<caf::message> with) { refused.set_value(std::move(with)); });
  const auto with = refused.get_future().get();
  REQUIRE(std::holds_alternative<rpc::failure>(with));
  CHECK(std::get<rpc::failure>(with).code() == rpc::errc::deadline_exceeded);
  CHECK_FALSE(waiting.awaits(*late));
  CHECK(waiting.awaits(*patient));
  CHECK(got.all.empty());
}
