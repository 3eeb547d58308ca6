#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mistify::http {

/// The segments of a path that its pattern puts in braces, by name: "/guests/{guest}/{action}" has `guest` and `action`.
/// A path has three at most, so a lookup compares them one by one.
class path_captures {
public:
  struct entry {
    std::string_view name; ///< without braces
    std::string value;     ///< decoded
  };

  /// `name` points to text that outlives this, as the patterns of the routes do.
  void add(std::string_view name, std::string value) { entries_.push_back({name, std::move(value)}); }
  void reserve(std::size_t count) { entries_.reserve(count); }

  /// Returns the value of a name that the pattern has. Throws `std::logic_error` for any other: the route and its
  /// handler do not fit.
  const std::string& operator[](std::string_view name) const;
  std::string& operator[](std::string_view name);

  /// Returns null for a name that the pattern does not have: for what serves several patterns.
  const std::string* find(std::string_view name) const noexcept;
  std::string* find(std::string_view name) noexcept;

  /// In the order of the pattern.
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }
  std::size_t size() const noexcept { return entries_.size(); }

private:
  std::vector<entry> entries_;
};

} // namespace mistify::http
