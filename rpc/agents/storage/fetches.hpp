#pragma once

#include "rpc/agents/storage/fetch.hpp"
#include "rpc/agents/storage/place.hpp"
#include "rpc/agents/storage/progress_reporter.hpp"
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

namespace mistify::agents::storage {

struct fetch_settings {
  fetch_limits limits = {};
  reader_settings reading = {};
  std::string server = {};       ///< what sources that are no URL are put behind; "": they are refused
  std::size_t most = 16;         ///< fetches at a time; half of them from one host
  std::size_t queue = 32;        ///< fetches that wait for a place among those
  rpc::agent_address agent = ""; ///< the agent, whose jobs are told how far fetches are; an empty URL: nobody is
};

/// The fetches that run, and those that wait for a place, in their order; one whose host has no place left lets others pass.
/// Who asks for an image that somebody fetches already waits for the same fetch; it goes on as long
/// as anybody waits. Thread-safe.
class fetches {
public:
  /// Throws std::invalid_argument for a URL that cannot be the agent's or the image server's, and for networks that are none.
  fetches(place& where, fetch_settings settings);
  ~fetches(); ///< nobody waits any more

  /// Returns when the image is there. `who` is asked a few times a second whether it still waits, and its job is told how far
  /// the fetch is. A fetch that waits is given up at once when nobody waits for it. Throws std::runtime_error with the reason why there is no image.
  void wait_for(const dataset_id& image, const fetch::order& what, const rpc::asker& who);

  /// How far the fetch of an image is; null where there is none.
  std::shared_ptr<const fetch_progress> progress_of(const dataset_id& image) const;
  std::vector<std::pair<dataset_id, std::shared_ptr<const fetch_progress>>> running() const;

private:
  struct one;
  using lock = std::unique_lock<std::mutex>;
  std::shared_ptr<one> join(lock& held, const dataset_id& image, const fetch::order& what, const rpc::asker& who);
  std::shared_ptr<one> begin(const dataset_id& image, const fetch::order& what);
  void start_due() noexcept;
  one* next_due() const noexcept;
  bool has_place(const one& waiting) const noexcept;
  void start(one& on) noexcept;
  void leave(lock& held, const std::shared_ptr<one>& of) noexcept;
  void work(one& on) noexcept;
  void fill(one& on, const dataset_id& image);
  void expect_size(const dataset_id& image) const;
  bool is_there(const dataset_id& image, const fetch::order& what) const;

  place& place_;
  const fetch_settings settings_;
  mutable std::mutex mutex_;
  std::condition_variable changed_; // one of them ended, or left the map
  std::map<dataset_id, std::shared_ptr<one>> running_;
  std::uint64_t next_turn_ = 0;
  std::atomic<unsigned> next_file_ = 0;
  std::optional<progress_reporter> reporter_;
};

} // namespace mistify::agents::storage
