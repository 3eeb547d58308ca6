#include "rpc/agents/container/log_frames.hpp"

#include "rpc/agents/container/engine_transfer.hpp"

#include <algorithm>

namespace mistify::agents::container {

namespace {

constexpr std::size_t head_size = 8;
constexpr char last_stream = 2; // 0 stdin, 1 stdout, 2 stderr

} // namespace

void log_frames::read_head() {
  if (head_[0] < 0 || head_[0] > last_stream || head_[1] != 0 || head_[2] != 0 || head_[3] != 0)
    throw engine_error{"the container engine's log is not in frames"};
  for (std::size_t i = 4; i < head_size; ++i)
    left_ = left_ << 8 | static_cast<unsigned char>(head_[i]);
  head_.clear();
}

bool log_frames::add(std::string_view bytes) {
  while (!bytes.empty()) {
    if (left_ == 0) {
      const auto part = bytes.substr(0, head_size - head_.size());
      head_ += part;
      bytes.remove_prefix(part.size());
      if (head_.size() == head_size)
        read_head();
      continue;
    }
    const auto part = bytes.substr(0, left_);
    left_ -= static_cast<std::uint32_t>(part.size());
    bytes.remove_prefix(part.size());
    if (!out_(part))
      return false;
  }
  return true;
}

} // namespace mistify::agents::container
