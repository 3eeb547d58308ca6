#pragma once

#include "rpc/agents/storage/fetch_progress.hpp"
#include "rpc/agents/storage/patient_reader.hpp"
#include "rpc/agents/storage/sha256.hpp"
#include "rpc/agents/storage/sparse_file.hpp"
#include "rpc/agents/storage/unpack.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace mistify::agents::storage {

/// What bounds a fetch.
struct fetch_limits {
  std::uint64_t max_size = std::uint64_t{1} << 40; ///< bytes of the image, unpacked
  std::function<std::uint64_t()> space = {};       ///< bytes that may be written now; empty: any number
  std::uint64_t keep_free = 0;                     ///< bytes that stay free whoever else writes
  unsigned tries = 8;                              ///< one behind the other that brought too little
  std::chrono::milliseconds first_pause{1000}, longest_pause{30'000}; ///< between tries: each twice the one before
  std::chrono::milliseconds time = std::chrono::hours{24};            ///< from begin to end of the reading
  bool zfs_streams = false;                                           ///< what `zfs send` makes may come, too
};

/// One image on its way from a URL into a file: read in as many goes as it takes, unpacked, and compared with its sum.
/// Belongs to one thread.
class fetch {
public:
  struct order {
    std::string source;
    std::string sha256;    ///< of what the source sends, lower case; "": what SOURCE.sha256 says, where there is one
    std::string also = {}; ///< where to look next when `source` has no such image; "": nowhere
  };

  /// `stop` is asked a few times a second. Throws std::invalid_argument where a source is no URL that can be read.
  fetch(order what, const fetch_limits& limits, reader_settings reading, std::function<bool()> stop,
        fetch_progress& progress);

  /// Fills `file` and returns what it is: "raw", "qcow2", or "zfs" where that may come. Throws std::runtime_error, without
  /// secrets of the source; the file is the caller's to remove.
  std::string run(const std::filesystem::path& file);

  /// Of what `run` read: where it came from, its SHA-256, and the bytes that it takes on disk.
  const std::string& source() const noexcept { return source_; }
  const std::string& sum() const noexcept { return sum_text_; }
  std::uint64_t space() const noexcept { return file_->space(); }

private:
  void read(const std::string& source);
  bool is_elsewhere(const std::exception& trouble) const;
  void look_for_sum();
  void begin(std::int64_t from, std::int64_t total);
  void take(std::string_view bytes);
  void store(std::string_view unpacked);
  void look_at_head(std::string_view unpacked);
  void judge_head();
  void expect_space();
  void ask_for_space();
  bool stop() const;
  void compare() const;

  const order order_;
  const fetch_limits limits_;
  const reader_settings reading_;
  const std::function<bool()> stop_;
  fetch_progress& progress_;
  std::chrono::steady_clock::time_point end_;
  std::string source_, wanted_sum_, sum_text_;
  std::optional<sparse_file> file_;
  std::optional<unpacker> unpacker_;
  class sha256 sum_;
  std::string head_; // of the unpacked bytes, until it is judged
  bool judged_ = false, is_zfs_ = false;
  std::int64_t received_ = 0, total_ = -1;
  std::uint64_t asked_at_ = 0, room_until_ = 0; // bytes written when space was asked for; that there was room for
};

/// What an image file is, by its content: "raw" or "qcow2". Throws std::runtime_error where it needs another file, which a
/// foreign image could name as it likes, or cannot be used.
std::string format_of_image(const std::filesystem::path& file, std::uint64_t max_size);

} // namespace mistify::agents::storage
