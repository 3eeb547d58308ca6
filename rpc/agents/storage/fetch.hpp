#pragma once

#include "rpc/agents/storage/sha256.hpp"
#include "rpc/agents/storage/sparse_file.hpp"
#include "rpc/agents/storage/unpack.hpp"
#include "rpc/agents/storage/url_reader.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace mistify::agents::storage {

/// How far a fetch is. Written by one thread, read by any.
class fetch_progress {
public:
  void receive(std::int64_t bytes, std::int64_t total) noexcept;
  void convert() noexcept { converting_ = true; }

  std::int64_t total() const noexcept { return total_; } ///< bytes; -1: not known
  /// For people: "fetching: 45 of 100 MB, 12.3 MB/s"; "converting".
  std::string text() const;

private:
  std::atomic<std::int64_t> bytes_ = 0, total_ = -1;
  std::atomic<bool> converting_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// What bounds a fetch.
struct fetch_limits {
  std::uint64_t max_size = std::uint64_t{1} << 40;                    ///< bytes of the image, unpacked
  std::uint64_t space = UINT64_MAX;                                   ///< bytes that it may take on disk
  std::uint64_t keep_free = 0;                                        ///< bytes that stay free whoever else writes
  unsigned tries = 8;                                                 ///< one behind the other in which no byte came
  std::chrono::milliseconds first_pause{1000}, longest_pause{30'000}; ///< between tries: each twice the one before
};

/// One image on its way from a URL into a file: read in as many goes as it takes, unpacked, and compared with its sum.
/// Belongs to one thread.
class fetch {
public:
  struct order {
    std::string source;
    std::string sha256; ///< of what the source sends, lower case; "": what SOURCE.sha256 says, where there is one
  };

  /// `stop` is asked a few times a second. Throws std::invalid_argument where the source is no URL that can be read.
  fetch(order what, const fetch_limits& limits, reader_settings reading, std::function<bool()> stop,
        fetch_progress& progress);

  /// Fills `file` and returns what it is: "raw" or "qcow2". Throws std::runtime_error; the file is the caller's to remove.
  std::string run(const std::filesystem::path& file);

  /// Of what `run` read: its SHA-256, and the bytes that it takes on disk.
  const std::string& sum() const noexcept { return sum_text_; }
  std::uint64_t space() const noexcept { return file_->space(); }

private:
  void look_for_sum();
  void read_in_goes(url_reader& from, const reader_sink& sink);
  void begin(std::int64_t from, std::int64_t total);
  void take(std::string_view bytes);
  void store(std::string_view unpacked);
  void pause(std::chrono::milliseconds time) const;
  void compare();

  order order_;
  const fetch_limits limits_;
  const reader_settings reading_;
  const std::function<bool()> stop_;
  fetch_progress& progress_;
  std::optional<sparse_file> file_;
  std::optional<unpacker> unpacker_;
  class sha256 sum_;
  std::string sum_text_;
  std::int64_t received_ = 0, total_ = -1;
};

/// What an image file is, by its content: "raw" or "qcow2". Throws std::runtime_error where it needs another file, which a
/// foreign image could name as it likes, or cannot be used.
std::string format_of_image(const std::filesystem::path& file, std::uint64_t max_size);

} // namespace mistify::agents::storage
