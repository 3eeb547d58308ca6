#include "actors/inspect/status.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

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

/// Sorts indices instead of rows, because rows are large and as many as guests.
void put_stuck_first(std::vector<actor_status>& all) {
  struct place {
    bool answers, not_shared;
    age minus_oldest;
    bool went_well;
    std::string_view id;
    std::size_t row;

    bool operator<(const place& other) const {
      return std::tie(answers, not_shared, minus_oldest, went_well, id) <
             std::tie(other.answers, other.not_shared, other.minus_oldest, other.went_well, other.id);
    }
  };
  // GCC 12 forgets to emit <=> of string views where headers are precompiled, hence the plain comparison.
  std::vector<place> places;
  places.reserve(all.size());
  for (const auto& s : all)
    places.push_back({s.state != condition::silent, !s.guest.empty() || oldest(s) < 1s, -oldest(s),
                      s.restarts == 0 && !s.last_error, s.id, places.size()});
  std::sort(places.begin(), places.end());
  std::vector<actor_status> sorted;
  sorted.reserve(all.size());
  for (const auto& at : places)
    sorted.push_back(std::move(all[at.row]));
  all = std::move(sorted);
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
