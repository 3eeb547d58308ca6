#pragma once

#include "rpc/base/unique_fd.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace mistify::cli {

/// A file that grows beside its place as FILE.part and gets there when it is whole. Blocks of zeros become holes. Only the
/// user may read it. Throws `give_up{failed}` where it cannot be written.
class sparse_writer {
public:
  explicit sparse_writer(std::string file);

  void write(std::string_view bytes);
  /// Begins anew with nothing.
  void restart();
  /// Makes it durable and puts it into its place.
  void finish();

  std::uint64_t size() const noexcept { return size_; }
  unsigned restarts() const noexcept { return restarts_; }

private:
  void put(std::string_view bytes);
  [[noreturn]] void fail() const;

  const std::string file_, part_;
  rpc::unique_fd fd_;
  std::uint64_t size_ = 0;
  unsigned restarts_ = 0;
};

} // namespace mistify::cli
