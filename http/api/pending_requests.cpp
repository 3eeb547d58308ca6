#include "http/api/pending_requests.hpp"

#include "rpc/base/missed_time.hpp"

#include <utility>

namespace mistify::http {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

/// The precision of deadlines.
constexpr auto sweep_interval = 100ms;

rpc::failure stopping() {
  return {rpc::errc::unavailable, "the agent is stopping"};
}

} // namespace

pending_requests::pending_requests() : sweeper_{[this](const std::stop_token& stop) { sweep(stop); }} {}

pending_requests::~pending_requests() {
  {
    const std::lock_guard lock{mutex_}; // else the sweeper could miss it between its look and its sleep
    sweeper_.request_stop();
  }
  wake_.notify_all();
  sweeper_.join();
  close();
}

std::optional<std::uint64_t> pending_requests::add(steady_clock::duration longest, reply_handler on_done) {
  std::unique_lock lock{mutex_};
  if (closed_) {
    lock.unlock();
    on_done(stopping());
    return std::nullopt;
  }
  const auto id = ++last_id_;
  rows_.emplace(id, question{steady_clock::now() + longest, std::move(on_done)});
  const bool dozed = std::exchange(dozes_, false);
  lock.unlock();
  if (dozed)
    wake_.notify_all();
  return id;
}

void pending_requests::close() {
  std::unique_lock lock{mutex_};
  closed_ = true;
  auto left = std::exchange(rows_, {});
  lock.unlock();
  for (auto& [id, row] : left)
    row.on_done(stopping());
}

bool pending_requests::awaits(std::uint64_t id) const {
  const std::lock_guard lock{mutex_};
  return rows_.contains(id);
}

void pending_requests::answer(std::uint64_t id, rpc::outcome<caf::message> with) {
  std::unique_lock lock{mutex_};
  auto found = rows_.extract(id);
  lock.unlock();
  if (found) // otherwise the deadline was first
    found.mapped().on_done(std::move(with));
}

/// Checks every request periodically: there are few, and most are answered long before their deadline. Dozes if there is
/// none when it looks; only then the next request wakes it.
void pending_requests::sweep(const std::stop_token& stop) {
  rpc::missed_time missed{sweep_interval};
  std::unique_lock lock{mutex_};
  while (!stop.stop_requested()) {
    dozes_ = rows_.empty();
    wake_.wait(lock, [&] { return stop.stop_requested() || !dozes_; });
    missed.begin(steady_clock::now());
    wake_.wait_for(lock, sweep_interval, [&] { return stop.stop_requested(); });
    put_off(missed.look(steady_clock::now()));
    auto late = take_late();
    lock.unlock();
    for (auto& on_done : late)
      on_done(rpc::failure{rpc::errc::deadline_exceeded, "the agent did not answer in time"});
    lock.lock();
  }
}

/// Extends all deadlines: responses that arrived while the process was stopped will be handled in a moment.
void pending_requests::put_off(steady_clock::duration by) {
  if (by > 0s)
    for (auto& [id, row] : rows_)
      row.deadline += by;
}

std::vector<reply_handler> pending_requests::take_late() {
  std::vector<reply_handler> late;
  const auto now = steady_clock::now();
  std::erase_if(rows_, [&](auto& entry) {
    if (entry.second.deadline > now)
      return false;
    late.push_back(std::move(entry.second.on_done));
    return true;
  });
  return late;
}

} // namespace mistify::http
