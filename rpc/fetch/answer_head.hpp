#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mistify::fetching {

/// What the head of an HTTP answer says of the file that it is about. Sizes in bytes, -1: not said.
struct answer_head {
  std::int64_t length = -1;           ///< of the body
  std::int64_t from = -1, total = -1; ///< Content-Range
  std::string etag = {}, modified = {};
  std::string date = {}, location = {}, type = {}; ///< of the answer; where it redirects to; of the content, lower case
  std::string encoding = {};                       ///< Content-Encoding of all lines, lower case
  std::size_t size = 0;                            ///< of all heads so far
  bool length_is_valid =
    true; ///< Content-Length is a number of 63 bits, the same one wherever it is told (RFC 9110, 8.6)

  /// A line of the head, or of the trailer. A status line begins it anew, since answers with 1xx come before.
  void take(std::string_view line);

  /// By which the source can be asked whether the file is still the same, byte for byte (RFC 9110, 13.1.5). Empty: it cannot.
  std::string validator() const;

  /// Whether the body is the file itself, or packed as files are: gzip and zstd are unpacked by what they look like.
  bool is_readable() const noexcept;

private:
  void take_length(std::int64_t told);
};

/// Whether an answer with a part goes on with the file that `first` is the head of. `size` is that of the whole.
bool goes_on_with(const answer_head& first, std::int64_t size, const answer_head& part);

} // namespace mistify::fetching
