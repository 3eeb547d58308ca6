#include "http/server/leader_followers.hpp"

#include "rpc/base/thread_name.hpp"

#include <algorithm>
#include <numeric>
#include <system_error>
#include <utility>

namespace mistify::http {

namespace {

/// How many looks in a row find no leader at work before no more are taken: each wakes a thread.
constexpr int looks_before_doze = 20;

} // namespace

void leader_followers::place::begins() noexcept {
  rounds_.fetch_add(1);
  if (all_.dozing_.load()) // it looked at `rounds_` after it said so: one of the two sees the other
    all_.wake_from_doze();
}

void leader_followers::place::steps_down() noexcept {
  if (leads_.load(std::memory_order_relaxed))
    all_.step_down(*this);
}

/// Only its own thread writes, and no thread waits for the value: no barrier is needed.
void leader_followers::place::ends() noexcept {
  if (const auto now = rounds_.load(std::memory_order_relaxed); now % 2 != 0)
    rounds_.store(now + 1, std::memory_order_release);
}

leader_followers::leader_followers(const settings& how, turn take)
  : patience_{how.patience}, take_{std::move(take)}, free_sources_(std::max<std::size_t>(1, how.leaders)) {
  std::iota(free_sources_.rbegin(), free_sources_.rend(), std::size_t{0}); // the first is taken first
  const auto wanted = std::max<std::size_t>(1, how.threads);
  threads_.reserve(wanted);
  try {
    while (threads_.size() < wanted)
      threads_.emplace_back([this] {
        rpc::name_thread("http");
        run();
      });
  } catch (const std::system_error&) { // those that are there lead; a turn has to say it before they can be ended
    if (threads_.empty())
      throw;
  }
}

leader_followers::~leader_followers() {
  join();
}

void leader_followers::join() {
  for (auto& one : threads_)
    if (one.joinable())
      one.join();
}

void leader_followers::run() {
  place mine{*this};
  while (lead(mine)) {
    while (mine.leads_.load(std::memory_order_relaxed)) {
      if (!take_(mine))
        return end(mine);
      mine.ends();
    }
  }
}

bool leader_followers::lead(place& mine) {
  lock held{mutex_};
  while (!over_ && free_sources_.empty()) {
    if (somebody_looks_) {
      ++sleeping_;
      follow_.wait(held);
      --sleeping_;
    } else {
      look_after_leaders(held);
    }
  }
  if (over_)
    return false;
  mine.source_ = free_sources_.back();
  free_sources_.pop_back();
  leaders_.push_back(&mine);
  mine.leads_ = true;
  if (!somebody_looks_)
    follow_.notify_one();
  else if (!free_sources_.empty())
    wake_follower();
  return true;
}

void leader_followers::look_after_leaders(lock& held) {
  somebody_looks_ = true;
  if (idle_looks_ < looks_before_doze)
    look_.wait_for(held, patience_, [this] { return over_ || !free_sources_.empty(); });
  else
    doze(held);
  depose_late();
  somebody_looks_ = false;
}

void leader_followers::doze(lock& held) {
  dozing_ = true;
  if (std::ranges::none_of(leaders_, &place::busy))
    look_.wait(held, [this] { return over_ || !dozing_ || !free_sources_.empty(); });
  dozing_ = false;
}

void leader_followers::wake_from_doze() {
  const std::lock_guard held{mutex_};
  dozing_ = false;
  look_.notify_one();
}

/// If every thread works, the first one that is through leads.
void leader_followers::step_down(place& mine) {
  const std::lock_guard held{mutex_};
  if (over_ || std::erase(leaders_, &mine) == 0)
    return;
  mine.leads_ = false;
  free_sources_.push_back(mine.source_);
  wake_follower();
}

/// For a free source. The watching follower leads only if no other sleeps: its own place would have to be filled too.
void leader_followers::wake_follower() {
  (sleeping_ > 0 ? follow_ : look_).notify_one();
}

void leader_followers::depose_late() {
  bool idle = true;
  std::erase_if(leaders_, [&](place* one) {
    const auto now = one->rounds_.load();
    const bool moved = std::exchange(one->seen_, now) != now, works = now % 2 != 0;
    idle = idle && !moved && !works;
    if (moved || !works)
      return false;
    one->leads_ = false;
    free_sources_.push_back(one->source_);
    return true;
  });
  idle_looks_ = idle ? idle_looks_ + 1 : 0;
}

void leader_followers::end(const place& mine) {
  const std::lock_guard held{mutex_};
  over_ = true;
  std::erase(leaders_, &mine);
  follow_.notify_all();
  look_.notify_all();
}

} // namespace mistify::http
