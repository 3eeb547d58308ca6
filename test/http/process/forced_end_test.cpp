#include "http/process/forced_end.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <future>
#include <memory>

using namespace std::chrono_literals;

namespace mistify::http {

namespace {

sigset_t signals_to_end() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  return ends;
}

} // namespace

TEST_CASE("a stop that takes too long ends the process without a second signal") {
  const auto ended = std::make_shared<std::promise<bool>>();
  auto by_signal = ended->get_future();
  forced_end last_resort{signals_to_end(), [ended](bool how) { ended->set_value(how); }};
  CHECK(by_signal.wait_for(0s) == std::future_status::timeout);
  last_resort.allow(20ms);
  REQUIRE(by_signal.wait_for(10s) == std::future_status::ready);
  CHECK_FALSE(by_signal.get());
}

} // namespace mistify::http
