#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace mistify::actors {

/// The lines, from 1, at which the members of a JSON text stand, by their path: "services/libvirt/port", "access/unix/0".
class json_lines {
public:
  /// `text` must be valid JSON; of other text some lines are wrong.
  explicit json_lines(std::string_view text);

  /// The line of the path, or of the nearest member around it.
  std::size_t of(std::string_view path) const;

  bool has(std::string_view path) const { return lines_.contains(path); }

private:
  std::map<std::string, std::size_t, std::less<>> lines_;
};

/// The line of a byte, both counted as in error messages of JSON: bytes from 0, lines from 1.
std::size_t line_at(std::string_view text, std::size_t byte);

} // namespace mistify::actors
