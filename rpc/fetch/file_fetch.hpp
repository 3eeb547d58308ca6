#pragma once

#include "rpc/fetch/fetch_progress.hpp"
#include "rpc/fetch/patient_reader.hpp"
#include "rpc/fetch/sha256.hpp"
#include "rpc/fetch/sparse_file.hpp"
#include "rpc/fetch/unpack.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace mistify::fetching {

/// What bounds a fetch.
struct fetch_limits {
  std::uint64_t max_size = std::uint64_t{1} << 40; ///< bytes of the image, unpacked
  std::function<std::uint64_t()> space = {};       ///< bytes that may be written now; empty: any number
  std::uint64_t keep_free = 0;                     ///< bytes that stay free whoever else writes
  unsigned tries = 8;                              ///< one behind the other that brought too little
  std::chrono::milliseconds first_pause{1000}, longest_pause{30'000}; ///< between tries: each twice the one before
  std::chrono::milliseconds time = std::chrono::hours{24};            ///< from begin to end of the reading
};

/// What a fetch may bring, by the first bytes after unpacking.
struct content_rules {
  std::size_t head = 4096; ///< bytes that `judge` wants to see, where there are as many
  /// Throws std::runtime_error for content that is not wanted; `wrong_content` where another source may have it.
  std::function<void(std::string_view head)> judge;
};

/// One image on its way from a URL into a file: read in as many goes as it takes, unpacked, and compared with its sum.
/// Belongs to one thread.
class file_fetch {
public:
  struct order {
    std::string source;
    std::string sha256;    ///< of what the source sends, lower case; "": what SOURCE.sha256 says, where there is one
    std::string also = {}; ///< where to look next when `source` has no such image; "": nowhere
  };

  /// `stop` is asked a few times a second. Throws std::invalid_argument where a source is no URL that can be read.
  file_fetch(order what, const fetch_limits& limits, reader_settings reading, content_rules rules,
             std::function<bool()> stop, fetch_progress& progress);

  /// Fills `file` with the unpacked content. Throws std::runtime_error, without secrets of the source; the file is the
  /// caller's to remove.
  void run(const std::filesystem::path& file);

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
  const content_rules rules_;
  const std::function<bool()> stop_;
  fetch_progress& progress_;
  std::chrono::steady_clock::time_point end_;
  std::string source_, wanted_sum_, sum_text_;
  std::optional<sparse_file> file_;
  std::optional<unpacker> unpacker_;
  class sha256 sum_;
  std::string head_; // of the unpacked bytes, until it is judged
  bool judged_ = false;
  std::int64_t received_ = 0, total_ = -1;
  std::uint64_t asked_at_ = 0, room_until_ = 0; // bytes written when space was asked for; that there was room for
};

/// Throws std::runtime_error ("the image is larger than …") if `size` exceeds `most`. Bytes.
void expect_size(std::uint64_t size, std::uint64_t most);

} // namespace mistify::fetching
