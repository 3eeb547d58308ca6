#include "http/api/router.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace mistify::http {

bool changes(const route& row) noexcept {
  // The tools that look symbols up send their addresses in a body.
  return row.acts || (row.method != "GET" && !(row.method == "POST" && row.asks.is(actors::scope::debug)));
}

namespace {

bool has_word(std::string_view words, std::string_view wanted) {
  while (!words.empty()) {
    const auto one = words.substr(0, words.find(' '));
    if (one == wanted)
      return true;
    words.remove_prefix(std::min(words.size(), one.size() + 1));
  }
  return false;
}

} // namespace

const std::string* unknown_parameter(const route& row, const request& of) {
  if (row.query == "*")
    return nullptr;
  const auto found = std::ranges::find_if(of.query, [&](const auto& one) { return !has_word(row.query, one.name); });
  return found == of.query.end() ? nullptr : &found->name;
}

const std::string* doubled_parameter(const route& row, const request& of) {
  if (row.query == "*")
    return nullptr;
  const auto found = std::ranges::adjacent_find(of.query, [&](const auto& one, const auto& next) {
    return one.name == next.name && !has_word(row.lists, one.name);
  });
  return found == of.query.end() ? nullptr : &found->name;
}

namespace {

/// A segment that a pattern has in braces.
struct capture_place {
  std::string_view name;
  std::size_t depth; ///< how many segments come before
};

struct ending {
  const route* row;
  std::vector<capture_place> captures;
};

} // namespace

/// A segment of the paths: fixed texts first, then one that captures.
struct router::node {
  std::unordered_map<std::string, std::unique_ptr<node>> fixed;
  std::unique_ptr<node> capture;
  std::vector<ending> rows; // that end here, one a method
  std::string allowed;      // what they allow

  void add(const route& row, std::vector<capture_place> captures) {
    rows.push_back({&row, std::move(captures)});
    allowed.append(allowed.empty() ? "" : ", ").append(row.method);
    if (row.method == "GET" && !row.acts)
      allowed += ", HEAD";
  }
};

router::router(const std::vector<route>& table) : root_{std::make_unique<node>()} {
  for (const auto& row : table) {
    node* at = root_.get();
    std::vector<capture_place> captures;
    std::string_view rest = row.pattern.substr(1);
    for (std::size_t depth = 0; !rest.empty(); ++depth) {
      const auto segment = rest.substr(0, rest.find('/'));
      rest.remove_prefix(std::min(rest.size(), segment.size() + 1));
      const bool captured = segment.front() == '{';
      if (captured)
        captures.push_back({segment.substr(1, segment.size() - 2), depth});
      auto& next = captured ? at->capture : at->fixed[std::string{segment}];
      if (!next)
        next = std::make_unique<node>();
      at = next.get();
    }
    at->add(row, std::move(captures));
  }
}

router::~router() = default;

/// Fixed texts win over captures; a dead end falls back ("/guests/x/metadata" against "/guests/{id}/{action}"). As deep
/// as the longest pattern at most.
const router::node* router::descend(const node& from, const std::vector<std::string>& segments,
                                    std::size_t depth) const {
  if (depth == segments.size())
    return from.rows.empty() ? nullptr : &from;
  const auto& segment = segments[depth];
  if (const auto fixed = from.fixed.find(segment); fixed != from.fixed.end())
    if (const auto* end = descend(*fixed->second, segments, depth + 1))
      return end;
  if (!from.capture || segment.empty())
    return nullptr;
  return descend(*from.capture, segments, depth + 1);
}

router::match router::find(std::string_view method, const std::vector<std::string>& segments) const {
  match found;
  const auto* end = descend(*root_, segments, 0);
  if (!end)
    return found;
  found.allowed = end->allowed;
  const auto at =
    std::find_if(end->rows.begin(), end->rows.end(), [&](const auto& one) { return one.row->method == method; });
  if (at == end->rows.end())
    return found;
  found.row = at->row;
  found.captures.reserve(at->captures.size());
  for (const auto& [name, depth] : at->captures)
    found.captures.add(name, segments[depth]);
  return found;
}

} // namespace mistify::http
