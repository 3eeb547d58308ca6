#include "lab.hpp"
#include "rpc/agents/storage/fetches.hpp"
#include "web_source.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <dlfcn.h>
#include <pthread.h>
#include <thread>

using namespace mistify;
using namespace mistify::test;
using namespace agents::storage;
using Catch::Contains;

namespace {

[[maybe_unused]] thread_local bool refuses_threads = false;

} // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define THREADS_CAN_BE_REFUSED
/// In the place of the C library's: the system has no thread left for a caller that says so.
extern "C" int pthread_create(pthread_t* made, const pthread_attr_t* how, void* (*run)(void*), void* with) noexcept {
  static const auto real = reinterpret_cast<decltype(&pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
  return refuses_threads ? EAGAIN : real(made, how, run, with);
}
#endif

namespace {

struct fake_asker : rpc::asker {
  std::atomic<bool> left = false;
  std::string of_job;
  bool gone() const noexcept override { return left; }
  const std::string& job() const noexcept override { return of_job; }
};

/// One who waits for an image, on a thread of its own.
struct wait_for_image {
  wait_for_image(fetches& from, const std::string& name, const std::string& url)
    : id{dataset_id::of_image(name)}, thread{[this, &from, url] {
        try {
          from.wait_for(id, {url, {}}, who);
          outcome = "complete";
        } catch (const std::exception& e) {
          outcome = e.what();
        }
      }} {}
  ~wait_for_image() { join(); }
  const std::string& join() {
    if (thread.joinable())
      thread.join();
    return outcome;
  }

  fake_asker who;
  dataset_id id;
  std::string outcome;
  std::thread thread;
};

/// A source that holds back its first answers until it is let go.
struct fetches_lab {
  directory_lab store;
  place where{store.store()};
  std::atomic<bool> go_on = false;
  std::atomic<int> begun = 0;
  web_source web;

  fetches_lab() {
    web.body = std::string(mb, 'A');
    web.half_way = [this] {
      ++begun;
      until([this] { return go_on.load(); });
    };
  }
  static fetch_settings settings(std::size_t most, std::size_t queue) {
    fetch_settings s;
    s.reading.nets = {"127.0.0.0/8"};
    s.most = most;
    s.queue = queue;
    return s;
  }
  template <class F>
  static bool until(F f) {
    for (int i = 0; i < 1000 && !f(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    return f();
  }
  static bool is_waiting(const fetches& in, const wait_for_image& one) {
    return until([&] {
      const auto progress = in.progress_of(one.id);
      return progress && progress->text() == "waiting";
    });
  }
};

} // namespace

TEST_CASE_METHOD(fetches_lab, "fetches that find no place wait for one, in their order") {
  fetches all{where, settings(2, 8)};
  wait_for_image a{all, "d", web.url("/1")};
  REQUIRE(until([&] { return begun == 1; }));
  wait_for_image b{all, "c", web.url("/2")};
  REQUIRE(is_waiting(all, b));
  wait_for_image c{all, "b", web.url("/3")};
  REQUIRE(is_waiting(all, c));
  wait_for_image d{all, "a", web.url("/4")};
  REQUIRE(is_waiting(all, d));
  CHECK(web.requests().size() == 1);
  go_on = true;
  for (auto* each : {&a, &b, &c, &d})
    CHECK(each->join() == "complete");
  REQUIRE(web.requests().size() == 4);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK_THAT(web.requests()[i], Catch::StartsWith("GET /" + std::to_string(i + 1) + ' '));
  CHECK(all.running().empty());
}

TEST_CASE_METHOD(fetches_lab, "a fetch that waits is given up at once, and others come after it") {
  fetches all{where, settings(2, 8)};
  wait_for_image a{all, "a", web.url("/1")};
  REQUIRE(until([&] { return begun == 1; }));
  wait_for_image b{all, "b", web.url("/2")};
  REQUIRE(is_waiting(all, b));
  wait_for_image c{all, "c", web.url("/3")};
  REQUIRE(is_waiting(all, c));
  b.who.left = true;
  CHECK(b.join() == "cancelled");
  CHECK_FALSE(all.progress_of(b.id));
  go_on = true;
  CHECK(a.join() == "complete");
  CHECK(c.join() == "complete");
  CHECK(web.requests().size() == 2);
}

TEST_CASE_METHOD(fetches_lab, "two who wait for one image that waits share it, and one of them may leave") {
  fetches all{where, settings(2, 1)};
  wait_for_image a{all, "a", web.url("/1")};
  REQUIRE(until([&] { return begun == 1; }));
  wait_for_image b{all, "b", web.url("/2")};
  REQUIRE(is_waiting(all, b));
  wait_for_image again{all, "b", web.url("/2")};
  b.who.left = true;
  CHECK(b.join() == "cancelled");
  go_on = true;
  CHECK(again.join() == "complete");
}

TEST_CASE_METHOD(fetches_lab, "no more fetches wait than the queue holds") {
  fetches all{where, settings(2, 1)};
  wait_for_image a{all, "a", web.url("/1")};
  REQUIRE(until([&] { return begun == 1; }));
  wait_for_image b{all, "b", web.url("/2")};
  REQUIRE(is_waiting(all, b));
  wait_for_image c{all, "c", web.url("/3")};
  CHECK(c.join() == "too many images are being fetched");
  go_on = true;
  CHECK(b.join() == "complete");
}

#ifdef THREADS_CAN_BE_REFUSED
TEST_CASE_METHOD(fetches_lab, "a fetch that gets no thread fails alone, and the next one is as good as ever") {
  go_on = true;
  fetches all{where, settings(2, 8)};
  const fake_asker who;
  const auto image = dataset_id::of_image("a");
  refuses_threads = true;
  CHECK_THROWS_AS(all.wait_for(image, {web.url("/1"), {}}, who), std::system_error);
  refuses_threads = false;
  CHECK(all.running().empty());
  CHECK_NOTHROW(all.wait_for(image, {web.url("/1"), {}}, who));
}
#endif

TEST_CASE_METHOD(fetches_lab, "the image server needs no --allow-net, for its sums neither, and leads nowhere else") {
  go_on = true;
  fetch_settings alone; // no network is allowed
  alone.server = web.url("");
  fetches all{where, alone};
  const auto get = [&](const std::string& name, const std::string& url) {
    return wait_for_image{all, name, url}.join();
  };
  CHECK(get("own", web.url("/own")) == "complete");
  web.sum_file = std::string(64, '0');
  CHECK_THAT(get("sum", web.url("/sum")), Contains("and not " + web.sum_file));

  web_source other;
  other.body = web.body;
  CHECK_THAT(get("other", other.url()), Contains("no network that --allow-net names"));
  web.sum_file.clear();
  web.redirect = other.url();
  CHECK_THAT(get("redirected", web.url("/moved")), Contains("no network that --allow-net names"));
  CHECK(other.requests().empty());
}
