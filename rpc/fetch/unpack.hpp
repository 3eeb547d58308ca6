#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mistify::fetching {

/// Unpacks gzip, xz or zstd, whichever the content is, and passes on as it is what is none of them. Holds a bounded amount
/// of memory (128 MiB for the largest windows there may be), whatever it is fed; how much comes out is the sink's to bound.
class unpacker {
public:
  using sink = std::function<void(std::string_view)>;

  /// `out` gets the unpacked bytes, in pieces. What it throws leaves `add` and `end`.
  explicit unpacker(sink out);
  ~unpacker();

  /// The next packed bytes. Throws std::runtime_error where they make no sense.
  void add(std::string_view bytes);
  /// There are no more. Throws std::runtime_error where that is too early.
  void end();

  /// One of the formats.
  class format;

private:
  void begin();

  sink out_;
  std::string head_; // until there is enough to know the format
  std::unique_ptr<format> format_;
};

} // namespace mistify::fetching
