#include "http/server/handshake_table.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace mistify::http {

std::optional<watch_key> handshake_table::begin(watch_key who, const std::string& address) {
  const std::lock_guard lock{mutex_};
  entries_.push_back({who, address});
  if (entries_.size() <= most_)
    return std::nullopt;
  const auto oldest = oldest_of_most();
  const auto gone = oldest->who;
  entries_.erase(oldest);
  return gone;
}

void handshake_table::end(watch_key who) {
  const std::lock_guard lock{mutex_};
  std::erase_if(entries_, [&](const entry& e) { return e.who.generation == who.generation; });
}

std::size_t handshake_table::size() const {
  const std::lock_guard lock{mutex_};
  return entries_.size();
}

/// The entries are not empty.
std::vector<handshake_table::entry>::iterator handshake_table::oldest_of_most() {
  std::unordered_map<std::string_view, std::size_t> held;
  for (const auto& e : entries_)
    ++held[e.address];
  return std::ranges::max_element(entries_, {}, [&](const entry& e) { return held[e.address]; });
}

} // namespace mistify::http
