#include "actors/caf/caller_runs.hpp"

#include "../actor_fixture.hpp"
#include "rpc/base/unique_fd.hpp"
#include "rpc/net/reactor.hpp"

#include <algorithm>
#include <functional>
#include <sys/epoll.h>
#include <thread>
#include <vector>

using namespace mistify;

namespace {

class outside_fixture : public test::actor_fixture {
public:
  /// An idle actor that calls `then` with each number that it gets.
  caf::actor listener(std::function<void(caf::event_based_actor*, int)> then) {
    auto made = track(system.spawn([then = std::move(then)](caf::event_based_actor* self) -> caf::behavior {
      return {[=](int number) { then(self, number); }};
    }));
    run();
    return made;
  }

  static void send(const caf::actor& to, int number) {
    actors::send_from_outside(*caf::actor_cast<caf::abstract_actor*>(to), nullptr, caf::make_message_id(),
                              caf::make_message(number));
  }
};

/// As on the server's workers.
void on_thread_that_waits_for_events(const std::function<void()>& work) {
  const rpc::unique_fd set{::epoll_create1(EPOLL_CLOEXEC)};
  rpc::reactor events{set.get()};
  std::thread{[&] {
    rpc::reactor::drive_on_this_thread(&events);
    work();
  }}.join();
}

} // namespace

TEST_CASE("a thread that waits for events runs the actor that it sends to, and those that it makes due") {
  outside_fixture f;
  std::vector<int> came;
  std::thread::id ran, sender;
  const auto second = f.listener([&](auto*, int number) { came.push_back(number), ran = std::this_thread::get_id(); });
  const auto first = f.listener([&](auto* self, int number) { self->send(second, number + 1); });
  on_thread_that_waits_for_events([&] {
    sender = std::this_thread::get_id();
    f.send(first, 1);
    CHECK(came == std::vector{2});
    f.send(first, 3);
  });
  CHECK(came == std::vector{2, 4});
  CHECK(ran == sender);
}

TEST_CASE("while a thread runs actors it drives no reactor") {
  outside_fixture f;
  std::vector<rpc::reactor*> driven;
  const auto one = f.listener([&](auto*, int) { driven.push_back(rpc::reactor::of_this_thread()); });
  on_thread_that_waits_for_events([&] {
    driven.push_back(rpc::reactor::of_this_thread());
    f.send(one, 1);
    driven.push_back(rpc::reactor::of_this_thread());
  });
  REQUIRE(driven.size() == 3);
  CHECK(driven[0]);
  CHECK_FALSE(driven[1]);
  CHECK(driven[2] == driven[0]);
}

TEST_CASE("another thread leaves the actor that it sends to to the scheduler") {
  outside_fixture f;
  std::vector<int> came;
  const auto one = f.listener([&](auto*, int number) { came.push_back(number); });
  f.send(one, 1);
  CHECK(came.empty());
  f.run();
  CHECK(came == std::vector{1});
}

TEST_CASE("a thread that waits for events leaves a long row of actors to the scheduler") {
  outside_fixture f;
  int ran = 0;
  auto next = f.listener([&](auto*, int) { ++ran; });
  for (int i = 1; i < 20; ++i)
    next = f.listener([&ran, next](auto* self, int number) { ++ran, self->send(next, number); });
  on_thread_that_waits_for_events([&] { f.send(next, 1); });
  CHECK(ran == 8);
  f.run();
  CHECK(ran == 20);
}

TEST_CASE("a thread that waits for events leaves the rest of many messages to the scheduler") {
  outside_fixture f;
  std::vector<int> came;
  const auto busy = f.listener([&](auto*, int number) { came.push_back(number); });
  const auto source = f.listener([&](auto* self, int count) {
    for (int i = 0; i < count; ++i)
      self->send(busy, i);
  });
  on_thread_that_waits_for_events([&] { f.send(source, 20); });
  CHECK(came.size() == 8);
  f.run();
  REQUIRE(came.size() == 20);
  CHECK(std::ranges::is_sorted(came));
}

TEST_CASE("what a message to an actor that is running brings waits for its turn") {
  outside_fixture f;
  std::vector<int> came;
  caf::actor one;
  one = f.listener([&](auto*, int number) {
    if (number == 1)
      f.send(one, 2);
    came.push_back(number);
  });
  on_thread_that_waits_for_events([&] { f.send(one, 1); });
  CHECK(came == std::vector{1, 2});
  one = nullptr;
}

TEST_CASE("a thread may hold the actors that its messages make due, until it has told somebody something") {
  outside_fixture f;
  std::vector<int> came;
  const auto one = f.listener([&](auto*, int number) { came.push_back(number); });
  {
    const actors::held_actors held;
    f.send(one, 1);
    CHECK_FALSE(f.scheduler.has_job());
  }
  CHECK(f.scheduler.has_job());
  f.run();
  CHECK(came == std::vector{1});
}

TEST_CASE("of many actors that a thread holds, the first few wait") {
  outside_fixture f;
  int ran = 0;
  const actors::held_actors held;
  for (int i = 0; i < 20; ++i)
    f.send(f.listener([&](auto*, int) { ++ran; }), i);
  f.run();
  CHECK(ran == 12);
}
