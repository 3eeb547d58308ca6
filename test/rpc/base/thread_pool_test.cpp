#include "rpc/base/thread_pool.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

using mistify::rpc::thread_pool;

TEST_CASE("as many pieces of work run at a time as there are threads, one more is refused") {
  thread_pool pool{"test", 3};
  std::latch all{3};
  std::promise<void> proceed;
  const auto gate = proceed.get_future().share();
  for (int i = 0; i < 3; ++i)
    REQUIRE(pool.try_post([&] {
      all.count_down();
      gate.wait();
    }));
  all.wait(); // returns only when the three run side by side
  CHECK(pool.busy() == 3);
  CHECK_FALSE(pool.try_post([] {}));
  proceed.set_value();
  pool.stop();
  CHECK(pool.busy() == 0);
}

TEST_CASE("threads are used again") {
  thread_pool pool{"test", 1};
  std::atomic<int> ran{0};
  for (int posted = 0; posted < 1000;)
    if (pool.try_post([&] { ++ran; }))
      ++posted;
    else
      std::this_thread::yield();
  pool.stop();
  CHECK(ran == 1000);
}

TEST_CASE("work that may wait runs when a thread is free again") {
  thread_pool pool{"test", 1, 1};
  std::promise<void> proceed;
  std::atomic<int> ran{0};
  REQUIRE(pool.try_post([&] {
    proceed.get_future().wait();
    ++ran;
  }));
  CHECK(pool.try_post([&] { ++ran; }));
  CHECK_FALSE(pool.try_post([&] { ++ran; }));
  proceed.set_value();
  pool.stop();
  CHECK(ran == 2);
}

TEST_CASE("work may post what follows it, though its own thread is not free yet") {
  thread_pool pool{"test", 1, 1};
  std::promise<void> done;
  std::function<void(int)> post = [&](int left) {
    if (left == 0)
      done.set_value();
    else if (!pool.try_post([&post, left] { post(left - 1); }))
      done.set_exception(std::make_exception_ptr(std::runtime_error{"refused"}));
  };
  post(1000);
  CHECK_NOTHROW(done.get_future().get());
  pool.stop();
}

TEST_CASE("a stopped pool refuses work, and stopping waits for the work that runs") {
  std::atomic<bool> ended{false};
  std::promise<void> started, proceed;
  thread_pool pool{"test", 2};
  REQUIRE(pool.try_post([&] {
    started.set_value();
    proceed.get_future().wait();
    ended = true;
  }));
  started.get_future().wait();
  proceed.set_value();
  pool.stop();
  CHECK(ended);
  CHECK_FALSE(pool.try_post([] {}));
  pool.stop();
}

TEST_CASE("what a piece of work holds is freed when it has run") {
  thread_pool pool{"test", 1};
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  REQUIRE(pool.try_post([held = std::move(held)] {}));
  while (!watch.expired())
    std::this_thread::yield();
  CHECK(watch.expired());
}

TEST_CASE("a pool that grows runs more at a time, and never shrinks") {
  thread_pool pool{"test", 1};
  std::promise<void> proceed;
  const auto open = proceed.get_future().share();
  REQUIRE(pool.try_post([open] { open.wait(); }));
  CHECK_FALSE(pool.try_post([] {}));
  pool.grow(2, 1);
  CHECK(pool.try_post([open] { open.wait(); }));
  pool.grow(1, 0);
  std::atomic<bool> ran{false};
  CHECK(pool.try_post([&ran] { ran = true; }));
  CHECK_FALSE(pool.try_post([] {}));
  proceed.set_value();
  pool.stop();
  CHECK(ran);
}

TEST_CASE("threads that are kept are there before any work, and take it in turn") {
  thread_pool pool{"test", 3, 10, 1};
  std::atomic<int> ran{0};
  for (int i = 0; i < 5; ++i)
    CHECK(pool.try_post([&] { ++ran; }));
  pool.stop();
  CHECK(ran == 5);
}

TEST_CASE("work waits for the threads that there are where the system has no more to give") {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  thread_pool pool{"test", 3, 10, 1};
  std::promise<void> proceed;
  std::atomic<int> ran{0};
  REQUIRE(pool.try_post([&] {
    proceed.get_future().wait();
    ++ran;
  }));
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  const rlimit none{4096, before.rlim_max};
  // A stack from glibc's cache would be enough for a thread: take those.
  std::vector<std::thread> hogs;
  std::promise<void> over;
  const auto end = over.get_future().share();
  for (int i = 0; i < 40; ++i)
    hogs.emplace_back([end] { end.wait(); });
  setrlimit(RLIMIT_AS, &none);
  CHECK(pool.try_post([&] { ++ran; }));
  setrlimit(RLIMIT_AS, &before);
  proceed.set_value();
  over.set_value();
  for (auto& one : hogs)
    one.join();
  pool.stop();
  CHECK(ran == 2);
#endif
}

TEST_CASE("threads of a pool have its name, as far as the system keeps it") {
  thread_pool pool{"a-name-of-many-letters", 1};
  std::promise<std::string> told;
  REQUIRE(pool.try_post([&] {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    told.set_value(name);
  }));
  CHECK(told.get_future().get() == "a-name-of-many-");
}
