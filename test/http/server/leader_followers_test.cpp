#include "http/server/leader_followers.hpp"

#include "running_server.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <latch>
#include <memory>
#include <set>

using namespace mistify;
using namespace std::chrono_literals;
using http::leader_followers;
using test::eventually;

namespace {

/// Work for a crew: pieces that are waited for, as connections' events are.
class errands {
public:
  using piece = std::function<void(leader_followers::place&)>;

  void add(std::function<void()> what) {
    add_with_place([what = std::move(what)](leader_followers::place&) { what(); });
  }

  void add_with_place(piece what) {
    const std::lock_guard held{mutex_};
    pieces_.push_back(std::move(what));
    came_.notify_one();
  }

  void end() {
    const std::lock_guard held{mutex_};
    over_ = true;
    came_.notify_all();
  }

  bool take_turn(leader_followers::place& mine) {
    std::unique_lock held{mutex_};
    ++waiting_;
    came_.wait(held, [this] { return over_ || !pieces_.empty(); });
    --waiting_;
    if (over_)
      return false;
    const auto what = std::move(pieces_.front());
    pieces_.pop_front();
    held.unlock();
    mine.begins();
    what(mine);
    return true;
  }

  int waiting() const {
    const std::lock_guard held{mutex_};
    return waiting_;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::deque<piece> pieces_;
  int waiting_ = 0;
  bool over_ = false;
};

struct crew {
  explicit crew(const leader_followers::settings& how)
    : threads{how, [this](leader_followers::place& mine) { return work.take_turn(mine); }} {}
  ~crew() { work.end(); }

  /// Adds a piece of work that takes as long as what is returned is there, and says so where it is to.
  auto add_long(bool says_so = false) {
    auto until = std::make_shared<std::latch>(1);
    work.add_with_place([this, until, says_so](leader_followers::place& mine) {
      if (says_so)
        mine.steps_down();
      ++stuck;
      until->wait();
      --stuck;
    });
    const auto release = [until](const void*) { until->count_down(); };
    return std::unique_ptr<const void, decltype(release)>{this, release};
  }

  bool does_short_work() {
    std::atomic<bool> done = false;
    work.add([&] { done = true; });
    return eventually([&] { return done.load(); });
  }

  errands work;
  std::atomic<int> stuck = 0;
  leader_followers threads; // last: its threads use the others
};

constexpr auto patient = 1h;

} // namespace

TEST_CASE("short work is done by the leader alone, while its followers sleep") {
  crew c{{4, 1, patient}};
  std::set<std::thread::id> seen; // by one thread, else the sanitizer would say so
  std::latch done{1000};
  for (int i = 0; i < 1000; ++i)
    c.work.add([&] {
      seen.insert(std::this_thread::get_id());
      done.count_down();
    });
  done.wait();
  CHECK(seen.size() == 1);
  CHECK(c.work.waiting() <= 1);
}

TEST_CASE("as many threads as are leaders wait for work") {
  crew c{{4, 3, patient}};
  CHECK(eventually([&] { return c.work.waiting() == 3; }));
  const auto held_up = c.add_long();
  CHECK(eventually([&] { return c.stuck == 1; }));
  CHECK(c.work.waiting() == 2);
}

TEST_CASE("a follower takes the place of a leader whose work takes long") {
  crew c{{3, 1, 1ms}};
  auto one = c.add_long();
  CHECK(c.does_short_work());
  auto other = c.add_long();
  CHECK(c.does_short_work());
  CHECK(c.stuck == 2);
  one.reset();
  other.reset();
  CHECK(eventually([&] { return c.stuck == 0; }));
  CHECK(c.does_short_work());
  CHECK(eventually([&] { return c.work.waiting() == 1; })); // who was deposed leads no more
}

TEST_CASE("a leader that says that its work takes long is followed at once") {
  crew c{{3, 1, patient}};
  auto one = c.add_long(true);
  CHECK(c.does_short_work()); // by one that sleeps
  const auto other = c.add_long(true);
  CHECK(c.does_short_work()); // by the one that watches
  const auto last = c.add_long(true);
  REQUIRE(eventually([&] { return c.stuck == 3; }));
  one.reset();
  CHECK(c.does_short_work()); // by the one that came back
  CHECK(c.stuck == 2);
  CHECK(c.work.waiting() == 1);
}

TEST_CASE("of several leaders that step down together each is followed") {
  crew c{{5, 2, patient}};
  const auto one = c.add_long(true), other = c.add_long(true);
  REQUIRE(eventually([&] { return c.stuck == 2; }));
  CHECK(eventually([&] { return c.work.waiting() == 2; }));
}

TEST_CASE("each leader has a source of its own, and who follows it takes that one over") {
  std::array<errands, 2> sources;
  std::latch until{1};
  leader_followers threads{{3, 2, patient},
                           [&](leader_followers::place& mine) { return sources[mine.source()].take_turn(mine); }};
  const auto each_has_a_leader = [&] {
    return eventually([&] { return sources[0].waiting() == 1 && sources[1].waiting() == 1; });
  };
  CHECK(each_has_a_leader());
  sources[1].add_with_place([&](leader_followers::place& mine) {
    mine.steps_down();
    until.wait();
  });
  CHECK(each_has_a_leader());
  until.count_down();
  for (auto& one : sources)
    one.end();
}

TEST_CASE("when every thread is held up, work goes on with the first that comes back") {
  crew c{{2, 1, 1ms}};
  auto first = c.add_long();
  const auto second = c.add_long();
  REQUIRE(eventually([&] { return c.stuck == 2; }));
  first.reset();
  CHECK(c.does_short_work());
  CHECK(c.stuck == 1);
}

TEST_CASE("leaders that were idle for long are looked after again once they work") {
  crew c{{2, 1, 1ms}};
  for (int i = 0; i < 3; ++i) {
    REQUIRE(eventually([&] { return c.threads.dozes(); }));
    const auto held_up = c.add_long();
    CHECK(c.does_short_work());
  }
}

TEST_CASE("leaders and followers end when the work is over") {
  crew c{{5, 2, 1ms}};
  auto held_up = c.add_long();
  REQUIRE(eventually([&] { return c.stuck == 1; }));
  c.work.end();
  held_up.reset();
  c.threads.join();
  CHECK(c.work.waiting() == 0);
}
