#include "actors/runner/throttle.hpp"

#include <catch2/catch.hpp>

#include <string>

using mistify::actors::admission;
using mistify::actors::throttle;

namespace {

admission enter(throttle<std::string>& gate, std::string work) {
  return gate.enter(work);
}

} // namespace

TEST_CASE("a throttle lets as many run as it is wide, and the rest waits in order") {
  throttle<std::string> gate{2, 10};
  CHECK(enter(gate, "a") == admission::runs);
  CHECK(enter(gate, "b") == admission::runs);
  CHECK(enter(gate, "c") == admission::waits);
  CHECK(enter(gate, "d") == admission::waits);
  CHECK(gate.leave() == "c");
  CHECK(gate.running() == 2);
  CHECK(gate.leave() == "d");
  CHECK(gate.leave() == std::nullopt);
  CHECK(gate.running() == 1);
}

TEST_CASE("a throttle refuses what finds no place to wait") {
  throttle<std::string> gate{1, 1};
  CHECK(enter(gate, "a") == admission::runs);
  CHECK(enter(gate, "b") == admission::waits);
  CHECK(enter(gate, "c") == admission::refused);
  CHECK(gate.leave() == "b");
  CHECK(enter(gate, "d") == admission::waits);
}

TEST_CASE("a throttle keeps work that runs or is refused with the caller") {
  throttle<std::string> gate{1, 0};
  std::string work = "work";
  CHECK(gate.enter(work) == admission::runs);
  CHECK(work == "work");
  CHECK(gate.enter(work) == admission::refused);
  CHECK(work == "work");
}

TEST_CASE("what runs and waits is shown by the gauges, and not any more when the throttle goes") {
  mistify::rpc::metrics::gauge running, waiting;
  {
    throttle<std::string> gate{1, 10, running, waiting};
    enter(gate, "a");
    enter(gate, "b");
    enter(gate, "c");
    CHECK(running.value() == 1);
    CHECK(waiting.value() == 2);
    gate.leave();
    CHECK(running.value() == 1);
    CHECK(waiting.value() == 1);
  }
  CHECK(running.value() == 0);
  CHECK(waiting.value() == 0);
}

TEST_CASE("a throttle that grows gives its new places to what waits, before anything else") {
  throttle<std::string> gate{1, 10};
  CHECK(enter(gate, "a") == admission::runs);
  CHECK(enter(gate, "b") == admission::waits);
  CHECK(enter(gate, "c") == admission::waits);
  CHECK(gate.next() == std::nullopt);
  gate.resize(2, 10);
  CHECK(enter(gate, "d") == admission::waits);
  CHECK(gate.next() == "b");
  CHECK(gate.next() == std::nullopt);
  CHECK(gate.running() == 2);
}

TEST_CASE("a throttle that shrinks lets end what runs and starts nothing until few enough run") {
  throttle<std::string> gate{3, 10};
  for (const auto* work : {"a", "b", "c"})
    CHECK(enter(gate, work) == admission::runs);
  CHECK(enter(gate, "d") == admission::waits);
  gate.resize(1, 1);
  CHECK(enter(gate, "e") == admission::refused);
  CHECK(gate.leave() == std::nullopt);
  CHECK(gate.leave() == std::nullopt);
  CHECK(gate.leave() == "d");
  CHECK(gate.running() == 1);
  CHECK(gate.leave() == std::nullopt);
  CHECK(gate.idle());
}
