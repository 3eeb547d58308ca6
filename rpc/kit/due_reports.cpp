#include "rpc/kit/due_reports.hpp"

#include <algorithm>

namespace mistify::rpc {

namespace {

const auto earlier = [](const auto& a, const auto& b) { return a.second < b.second; };

} // namespace

void due_reports::add(const std::string& guest, clock::time_point when) {
  const auto [row, is_new] = rows_.try_emplace(guest, when);
  row->second = std::min(row->second, when);
  if (!is_new || rows_.size() <= most)
    return;
  rows_.clear();
  rows_.emplace(everyone, when);
}

std::optional<std::string> due_reports::take(clock::time_point now) {
  const auto first = std::min_element(rows_.begin(), rows_.end(), earlier);
  if (first == rows_.end() || std::max(first->second, held_until_) > now)
    return std::nullopt;
  return rows_.extract(first).key();
}

std::optional<due_reports::clock::time_point> due_reports::next() const {
  const auto first = std::min_element(rows_.begin(), rows_.end(), earlier);
  if (first == rows_.end())
    return std::nullopt;
  return std::max(first->second, held_until_);
}

} // namespace mistify::rpc
