#pragma once

#include "rpc/fetch/file_fetch.hpp"
#include "rpc/fetch/progress_reporter.hpp"
#include "rpc/kit/server.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mistify::fetching {

struct fetch_settings {
  fetch_limits limits = {};
  reader_settings reading = {};  ///< its `server` is set by the queue
  std::string server = {};       ///< what sources that are no URL are put behind; "": they are refused
  std::size_t most = 16;         ///< fetches at a time; half of them from one host
  std::size_t queue = 32;        ///< fetches that wait for a place among those
  rpc::agent_address agent = ""; ///< receives the progress of fetches; an empty URL: none is sent
};

/// The fetches that run, and those that wait for a place, in their order; one whose host has no place left lets others pass.
/// Who asks for an image that somebody fetches already waits for the same fetch; it goes on as long
/// as anybody waits. Thread-safe.
class fetch_queue {
public:
  /// Brings an image to where it belongs, on a thread of the queue; returns at once where it is there already. `stop` turns
  /// true when nobody waits any more. Throws std::runtime_error with the reason why there is no image.
  using fill_function = std::function<void(const std::string& image, const file_fetch::order& what,
                                           fetch_progress& progress, const std::function<bool()>& stop)>;

  /// Throws std::invalid_argument for a URL that cannot be the agent's or the image server's, and for networks that are none.
  fetch_queue(fetch_settings settings, fill_function fill);
  ~fetch_queue(); ///< no call may wait any more

  /// Returns when the image is there. `who` is asked a few times a second whether it still waits, and its job is told how far
  /// the fetch is. A fetch that waits is given up at once when nobody waits for it. Throws std::runtime_error with the
  /// reason why there is no image; `source_refused` where a rule forbids the source.
  void wait_for(const std::string& image, const file_fetch::order& what, const rpc::asker& who);

  /// What it was made with, and what follows from it: `fill` reads with these, not with a copy of its own.
  const fetch_settings& settings() const noexcept { return settings_; }

  /// How far the fetch of an image is; null where there is none.
  std::shared_ptr<const fetch_progress> progress_of(const std::string& image) const;
  std::vector<std::pair<std::string, std::shared_ptr<const fetch_progress>>> running() const;

private:
  struct one;
  using lock = std::unique_lock<std::mutex>;
  std::shared_ptr<one> join(lock& held, const std::string& image, const file_fetch::order& what, const rpc::asker& who);
  std::shared_ptr<one> begin(const std::string& image, const file_fetch::order& what);
  void start_due() noexcept;
  one* next_due() const noexcept;
  bool has_place(const one& waiting) const noexcept;
  void start(one& on) noexcept;
  void leave(lock& held, const std::shared_ptr<one>& of) noexcept;
  void work(one& on) noexcept;

  const fetch_settings settings_;
  const fill_function fill_;
  mutable std::mutex mutex_;
  std::condition_variable changed_; // one of them ended, or left the map
  std::map<std::string, std::shared_ptr<one>> running_;
  std::uint64_t next_turn_ = 0;
  std::optional<progress_reporter> reporter_;
};

/// What is kept with an image: the source without its secrets, and the sum of what came from there.
struct image_origin {
  std::string source, sum;

  /// Reads what `text` wrote, also of a version that left the secrets in it.
  static image_origin parse(const std::string& text);
  std::string text() const;

  /// True if the order asks for what came from there.
  bool fits(const file_fetch::order& what) const;
};

} // namespace mistify::fetching
