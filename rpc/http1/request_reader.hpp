#pragma once

#include "rpc/http1/chunk_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::rpc::http1 {

/// One header line: name as sent, value trimmed. Both point into the head.
struct header_field {
  std::string_view name, value;
};

/// What a request line and the headers said. Views live until `request_reader::next`.
struct request_head {
  std::string_view text; ///< request line to the empty line
  std::string_view method, target;
  bool http_1_0 = false;
  std::vector<header_field> fields;
};

/// Returns how many bytes the body of a request may have, by its head.
using body_bound = std::function<std::size_t(const request_head&)>;

/// A request the server answers by itself and then closes the connection.
struct refusal {
  int status = 400;
  std::string message;
};

/// Cuts a stream of bytes into requests: says where head and body end, takes chunked bodies out of their chunks, and
/// refuses whatever two readers could understand differently (RFC 9112, sections 2.2, 5 and 6.3), so that no byte of one
/// request can be read as another. Knows no sockets. Not thread-safe.
class request_reader {
public:
  struct limits {
    std::size_t max_head = 64 * 1024;   ///< bytes; more is 431
    std::size_t max_body = 1024 * 1024; ///< bytes without chunk marks; more is 413
    /// Counts where it is less than `max_body`, and is asked for requests with a body. Outlives the reader; null: none.
    const body_bound* by_request = nullptr;
  };

  enum class progress : std::uint8_t {
    more,     ///< the request is not complete; append bytes
    go_on,    ///< the client waits for "100 Continue" before it sends the body; told once
    complete, ///< `head` and `take_body` may be used, then `next`
    refused,  ///< see `why`; nothing that follows can be trusted
  };

  explicit request_reader(limits bounds) : limits_{bounds} {}

  void append(std::string_view bytes) { in_.append(bytes); }
  progress advance();

  const request_head& head() const noexcept { return head_; }
  std::string take_body() noexcept { return std::move(body_); }
  const refusal& why() const noexcept { return why_; }

  /// Forgets a complete request; bytes behind it begin the next.
  void next();

  /// True when no byte of a further request has come.
  bool empty() const noexcept { return stage_ == stage::head && pos_ == in_.size(); }

  /// Bytes held.
  std::size_t buffered() const noexcept { return in_.size() - pos_ + head_text_.size() + body_.size(); }

private:
  enum class stage : std::uint8_t { head, fixed, chunks, complete, refused };

  bool step(); // false: needs bytes, or is at an end
  bool read_head();
  bool end_head(std::size_t end);
  bool parse_head();
  bool parse_request_line(std::string_view line);
  bool parse_field(std::string_view line);
  bool choose_body();
  std::size_t most_of_body() const;
  bool check_coding(const header_field& field);
  bool read_fixed();
  bool read_chunks();
  bool refuse_chunks();
  bool refuse_length();
  bool refuse(int status, std::string message);
  void compact();
  void forget_head();

  limits limits_;
  stage stage_ = stage::head;
  std::string in_;       // bytes as they came
  std::size_t pos_ = 0;  // of in_: what is before is used up
  std::size_t scan_ = 0; // of in_: no line end between pos_ and here
  std::size_t line_ = 0; // of in_: where the line begins that is being looked for
  std::string head_text_;
  request_head head_;
  std::string body_;
  std::size_t most_ = 0; // bytes that the body may have
  std::size_t rest_ = 0; // bytes missing of a body of known length
  chunk_reader chunks_;
  bool expects_ = false;
  refusal why_;
};

} // namespace mistify::rpc::http1
