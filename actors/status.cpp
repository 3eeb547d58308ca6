#include "actors/status.hpp"

#include <algorithm>
#include <tuple>

namespace mistify::actors {

using namespace std::chrono_literals;

age oldest(const actor_status& of) {
  age found{0};
  if (of.at)
    found = std::max(found, of.at->since);
  if (of.works_on)
    found = std::max(found, of.works_on->since);
  for (const auto& call : of.calls)
    found = std::max(found, call.since);
  return found;
}

std::string why_stuck(const actor_status& of, age patience) {
  if (of.state == condition::silent)
    return of.at ? "does not answer: handles " + of.at->message + " for " + in_words(of.at->since) : "does not answer";
  if (of.at && of.at->since >= patience)
    return "handles " + of.at->message + " for " + in_words(of.at->since);
  if (of.works_on && of.works_on->since >= patience)
    return of.works_on->doing + " for " + in_words(of.works_on->since);
  const auto old = std::ranges::find_if(of.calls, [&](const auto& call) { return call.since >= patience; });
  if (old != of.calls.end())
    return "waits for the answer of " + old->method + " for " + in_words(old->since);
  return {};
}

void put_stuck_first(std::vector<actor_status>& all) {
  struct rank {
    bool answers;
    bool not_shared;
    age minus_oldest;
    bool went_well;
    auto operator<=>(const rank&) const = default;
  };
  const auto rank_of = [](const actor_status& s) {
    return rank{s.state != condition::silent, !s.guest.empty() || oldest(s) < 1s, -oldest(s),
                s.restarts == 0 && !s.last_error};
  };
  std::ranges::sort(all, [&](const actor_status& a, const actor_status& b) {
    const auto left = rank_of(a), right = rank_of(b);
    return left == right ? a.id < b.id : left < right;
  });
}

std::string in_words(age length) {
  const auto count = [](auto n, const char* unit) { return std::to_string(n.count()) + unit; };
  if (length < 1s)
    return count(std::chrono::duration_cast<std::chrono::milliseconds>(length), " ms");
  if (length < 2min)
    return count(std::chrono::duration_cast<std::chrono::seconds>(length), " s");
  if (length < 2h)
    return count(std::chrono::duration_cast<std::chrono::minutes>(length), " min");
  return count(std::chrono::duration_cast<std::chrono::hours>(length), " h");
}

} // namespace mistify::actors
