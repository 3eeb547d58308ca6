#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mistify::rpc::http1 {

/// Takes a chunked body out of its chunks (RFC 9112, section 7.1). Strict: sizes are hexadecimal digits with an optional
/// extension, every line ends with CR LF. Knows no sockets. Not thread-safe.
class chunk_reader {
public:
  enum class fault : std::uint8_t {
    none,
    long_line,     ///< size and extension over 1 KiB
    line_end,      ///< a line ends with LF alone
    size,          ///< a chunk does not begin with its size
    long_size,     ///< a size of more than 15 digits
    long_chunk,    ///< a chunk does not end where its size says
    trailer,       ///< a trailer line is not NAME: VALUE
    long_trailers, ///< trailers over 8 KiB
  };

  struct piece {
    std::size_t used = 0;          ///< bytes of the input that are done with
    std::string_view content = {}; ///< those of them that belong to the body
  };

  /// Reads the next line or the next part of a chunk of `bytes`, which follow those used before. Uses nothing if `bytes`
  /// is empty, and once `done` or at a fault. Calls may follow until then.
  piece take(std::string_view bytes);

  bool done() const noexcept { return stage_ == stage::done; }
  fault why() const noexcept { return fault_; }

  /// Bytes of the current chunk that have not come yet.
  std::size_t left() const noexcept { return left_; }

private:
  enum class stage : std::uint8_t { size, data, data_end, trailers, done, broken };

  piece take_data(std::string_view bytes);
  piece take_data_end(std::string_view bytes);
  piece take_line(std::string_view bytes);
  void end_line();
  void read_size();
  void read_trailer();
  std::size_t room_for_line() const noexcept;
  void fail(fault why) noexcept;

  stage stage_ = stage::size;
  fault fault_ = fault::none;
  std::size_t left_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string line_; // what came of the current line
};

} // namespace mistify::rpc::http1
