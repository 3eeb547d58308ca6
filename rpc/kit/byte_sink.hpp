#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace mistify::rpc {

/// Where the bytes of a stream go. Every call blocks while the receiver is not ready, and returns false when the receiver is
/// gone: further bytes are lost. An empty piece sends nothing, and asks whether the receiver is there.
class byte_sink {
public:
  using take_bytes = std::function<bool(std::string_view bytes)>;
  using take_file = std::function<bool(int fd, std::uint64_t offset, std::size_t size)>;

  template <std::invocable<std::string_view> F>
  byte_sink(F bytes) : bytes_{std::move(bytes)} {} // NOLINT(google-explicit-constructor): any function is one
  byte_sink(take_bytes bytes, take_file file) : bytes_{std::move(bytes)}, file_{std::move(file)} {}

  bool operator()(std::string_view bytes) const { return bytes_(bytes); }

  /// The next bytes are those of a file from `offset` on, and zeros behind its end. They do not pass through this process
  /// where the receiver is a socket. Throws std::system_error where the file cannot be read.
  bool file(int fd, std::uint64_t offset, std::size_t size) const;

private:
  take_bytes bytes_;
  take_file file_;
};

} // namespace mistify::rpc
