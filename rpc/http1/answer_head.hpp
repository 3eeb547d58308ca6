#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mistify::rpc::http1 {

/// What a client needs of the head of an answer.
struct answer_head {
  int status = 0; ///< 0 if the first line is no status line
  bool http_1_1 = false;
  bool sound = false;                       ///< a status line of HTTP/1, then lines of NAME: VALUE
  bool closes = false;                      ///< Connection says anything but keep-alive
  bool chunked = false;                     ///< the one coding is chunked
  int lengths = 0;                          ///< lines of Content-Length
  int codings = 0;                          ///< lines of Transfer-Encoding
  std::optional<std::uint64_t> length = {}; ///< of the first Content-Length, if it is at most 18 digits

  /// True if every reader finds the same end (RFC 9112, section 6.3): one length or one chunked coding at most.
  bool has_one_end() const noexcept {
    return lengths + codings <= 1 && (codings == 0 || chunked) && (lengths == 0 || length);
  }
  bool keeps_alive() const noexcept { return http_1_1 && !closes; }
  /// Passed over by clients (RFC 9110, section 15.2), but for 101, which would change the protocol.
  bool is_interim() const noexcept { return status >= 100 && status < 200 && status != 101; }
};

/// Parses the lines of a head, each ended by CR LF, with or without the empty one behind them.
answer_head parse_answer_head(std::string_view text) noexcept;

} // namespace mistify::rpc::http1
