#include "http/server/waiting_answers.hpp"

#include <algorithm>
#include <tuple>

namespace mistify::http {

namespace {

/// A client is not judged by its rate before it has waited for so long, in milliseconds.
constexpr tick too_young = 1000;
/// A connection that holds no more than this many bytes is not worth closing.
constexpr std::size_t little = 4 * 1024;

} // namespace

std::vector<watch_key> waiting_answers::hold(watch_key who, const load& what, tick now) {
  const std::lock_guard lock{mutex_};
  const auto [at, is_new] = entries_.try_emplace(who.generation, entry{who, {}, now, what.taken});
  if (!is_new)
    uncount(at->second.what);
  at->second.what = what;
  count(what);
  std::vector<watch_key> gone;
  while (bytes_ > most_ && entries_.size() > 1) {
    const auto last = slowest(now);
    gone.push_back(last->second.who);
    drop(last);
  }
  return gone;
}

void waiting_answers::set_most(std::size_t most) {
  const std::lock_guard lock{mutex_};
  most_ = most;
}

void waiting_answers::release(watch_key who) {
  const std::lock_guard lock{mutex_};
  if (const auto found = entries_.find(who.generation); found != entries_.end())
    drop(found);
}

std::size_t waiting_answers::bytes() const {
  const std::lock_guard lock{mutex_};
  return bytes_;
}

void waiting_answers::count(const load& what) {
  bytes_ += what.own;
  if (what.shared && ++holders_[what.shared] == 1)
    bytes_ += what.shared->size();
}

void waiting_answers::uncount(const load& what) {
  bytes_ -= what.own;
  if (const auto text = holders_.find(what.shared); text != holders_.end() && --text->second == 0) {
    bytes_ -= what.shared->size();
    holders_.erase(text);
  }
}

void waiting_answers::drop(entries::iterator which) {
  uncount(which->second.what);
  entries_.erase(which);
}

std::size_t waiting_answers::freed_by(const entry& one) const {
  const auto& text = one.what.shared;
  return one.what.own + (text && holders_.at(text) == 1 ? text->size() : 0);
}

/// Of those that free something, of those that are not too young for it: the one that takes the fewest bytes a second,
/// then the one that waits longest.
waiting_answers::entries::iterator waiting_answers::slowest(tick now) {
  const auto rank = [&](const entries::value_type& row) {
    const auto& one = row.second;
    const auto waited = now - one.since;
    const auto rate =
      static_cast<double>(one.what.taken - one.taken_before) / static_cast<double>(std::max<tick>(waited, 1));
    return std::tuple{freed_by(one) <= little, waited < too_young, rate, one.since};
  };
  return std::min_element(entries_.begin(), entries_.end(),
                          [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

} // namespace mistify::http
