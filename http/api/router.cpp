#include "http/api/router.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace mistify::http {

bool changes(const route& row) noexcept {
  // The tools that look symbols up send their addresses in a body.
  return row.acts || (row.method != "GET" && !(row.method == "POST" && row.asks.is(actors::scope::debug)));
}

const std::string* unknown_parameter(const route& row, const request& of) {
  if (row.query == "*")
    return nullptr;
  for (const auto& [name, value] : of.query) {
    auto rest = row.query;
    bool known = false;
    while (!known && !rest.empty()) {
      const auto one = rest.substr(0, rest.find(' '));
      known = one == name;
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    }
    if (!known)
      return &name;
  }
  return nullptr;
}

/// A segment of the paths: fixed texts first, then one that captures.
struct router::node {
  std::unordered_map<std::string, std::unique_ptr<node>> fixed;
  std::unique_ptr<node> capture;
  std::vector<const route*> rows; // that end here, one a method
  std::string allowed;            // what they allow

  void add(const route& row) {
    rows.push_back(&row);
    allowed.append(allowed.empty() ? "" : ", ").append(row.method);
    if (row.method == "GET" && !row.acts)
      allowed += ", HEAD";
  }
};

router::router(const std::vector<route>& table) : root_{std::make_unique<node>()} {
  for (const auto& row : table) {
    node* at = root_.get();
    std::string_view rest = row.pattern.substr(1);
    while (!rest.empty()) {
      const auto segment = rest.substr(0, rest.find('/'));
      rest.remove_prefix(std::min(rest.size(), segment.size() + 1));
      auto& next = segment.front() == '{' ? at->capture : at->fixed[std::string{segment}];
      if (!next)
        next = std::make_unique<node>();
      at = next.get();
    }
    at->add(row);
  }
}

router::~router() = default;

/// Fixed texts win over captures; a dead end falls back ("/guests/x/metadata" against "/guests/{id}/{action}"). As deep
/// as the longest pattern at most.
const router::node* router::descend(const node& from, const std::vector<std::string>& segments, std::size_t depth,
                                    std::vector<std::string>& captures) const {
  if (depth == segments.size())
    return from.rows.empty() ? nullptr : &from;
  const auto& segment = segments[depth];
  if (const auto fixed = from.fixed.find(segment); fixed != from.fixed.end())
    if (const auto* end = descend(*fixed->second, segments, depth + 1, captures))
      return end;
  if (!from.capture || segment.empty())
    return nullptr;
  captures.push_back(segment);
  const auto* end = descend(*from.capture, segments, depth + 1, captures);
  if (!end)
    captures.pop_back();
  return end;
}

router::match router::find(std::string_view method, const std::vector<std::string>& segments) const {
  match found;
  const auto* end = descend(*root_, segments, 0, found.captures);
  if (!end)
    return found;
  found.allowed = end->allowed;
  for (const auto* row : end->rows)
    if (row->method == method)
      found.row = row;
  return found;
}

} // namespace mistify::http
