#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace mistify::agents::container {

/// Takes the frames off a container's output: 8 bytes (the stream, three zeros, the length in big-endian order) before each
/// piece of stdout or stderr. Docker Engine API, "Stream format".
class log_frames {
public:
  /// `out` gets the output in its order, both streams mixed. False: it wants no more.
  explicit log_frames(std::function<bool(std::string_view)> out) : out_{std::move(out)} {}

  /// False once `out` wants no more. Throws `engine_error` for bytes that are no frame.
  bool add(std::string_view bytes);

private:
  void read_head();

  std::function<bool(std::string_view)> out_;
  std::string head_;
  std::uint32_t left_ = 0; ///< bytes of the current frame
};

} // namespace mistify::agents::container
