#pragma once

#include "rpc/kit/byte_sink.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::rpc {

/// What of a guest's output is asked for, by a POST to the path of a log service:
/// `{"guest","tail","offset","limit","follow"}`, where `guest` is a guest or its id.
struct log_request {
  std::string guest;                  ///< its id; not checked
  bool adopted = false;               ///< the guest has the member `adopted` with the value true
  std::optional<std::uint64_t> tail;  ///< lines from the end; then neither offset nor limit
  std::uint64_t offset = 0;           ///< bytes from the start of what there is
  std::optional<std::uint64_t> limit; ///< bytes
  bool follow = false;                ///< goes on with what is written later
};

/// Throws `failure{invalid_request}` or std::invalid_argument that names the field.
log_request decode_log_request(std::string_view body);

/// Cuts a stream down to the bytes that a request asks for. `to` outlives it.
class byte_window {
public:
  byte_window(const log_request& what, const byte_sink& to)
    : skip_{what.offset}, left_{what.limit.value_or(UINT64_MAX)}, to_{to} {}

  /// Returns false when there is nothing more to send: the limit is reached, or the receiver has gone.
  bool add(std::string_view bytes);

  bool receiver_left() const noexcept { return receiver_left_; }

private:
  std::uint64_t skip_, left_;
  const byte_sink& to_;
  bool receiver_left_ = false;
};

} // namespace mistify::rpc
