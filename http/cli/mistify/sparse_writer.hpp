#pragma once

#include "rpc/base/unique_fd.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace mistify::cli {

/// A file that grows beside its place as FILE.part and gets there when it is whole. Blocks of zeros become holes. Only the
/// user may read it. The part is created by the first byte; one without any is removed at the end. Members throw
/// `give_up{failed}` where it cannot be written, and as `open_part`.
class sparse_writer {
public:
  /// `place`: of `download_place`.
  explicit sparse_writer(std::string place);
  ~sparse_writer();
  sparse_writer(const sparse_writer&) = delete;
  sparse_writer& operator=(const sparse_writer&) = delete;

  void write(std::string_view bytes);
  /// Begins anew with nothing.
  void restart();
  /// Makes it durable and puts it into its place.
  void finish();

  std::uint64_t size() const noexcept { return size_; }
  unsigned restarts() const noexcept { return restarts_; }

private:
  void open();
  void put(std::string_view bytes);
  [[noreturn]] void fail() const;

  const std::string place_, part_;
  rpc::unique_fd fd_;
  std::uint64_t size_ = 0;
  unsigned restarts_ = 0;
};

} // namespace mistify::cli
