#include "rpc/agents/guest_locks.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <optional>

using namespace mistify;

TEST_CASE("whoever has a guest's turn holds up nobody who wants another's") {
  agents::guest_locks locks;
  const auto one = locks.take("one");
  CHECK_NOTHROW(locks.take("two")); // on this thread, which would wait for itself for ever
}

TEST_CASE("the second to want a guest's turn has it after the first") {
  agents::guest_locks locks;
  std::optional first{locks.take("one")};
  std::promise<void> comes;
  bool first_is_done = false; // guarded by the turn
  auto second = std::async(std::launch::async, [&] {
    comes.set_value();
    const auto turn = locks.take("one");
    return first_is_done;
  });
  comes.get_future().wait();
  first_is_done = true;
  first.reset();
  CHECK(second.get());
}

TEST_CASE("a turn that is only tried for is not waited for") {
  agents::guest_locks locks;
  std::optional first{locks.take("one")};
  auto tried = std::async(std::launch::async, [&] { return locks.try_take("one").has_value(); });
  CHECK_FALSE(tried.get());
  CHECK(locks.try_take("two"));
  first.reset();
  CHECK(locks.try_take("one"));
}

TEST_CASE("a guest's turn is there again after everybody had it") {
  agents::guest_locks locks;
  for (int i = 0; i < 3; ++i)
    CHECK_NOTHROW(locks.take("one"));
}
