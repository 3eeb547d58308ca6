#pragma once

#include "rpc/agents/storage/fetch.hpp"
#include "rpc/agents/storage/place.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace mistify::agents::storage {

struct fetch_settings {
  fetch_limits limits = {};
  reader_settings reading = {};
  std::string server = {}; ///< what sources that are no URL are put behind; "": they are refused
  std::size_t most = 16;   ///< fetches at a time
};

/// The fetches that run. Who asks for an image that somebody fetches already waits for the same fetch; it goes on as long
/// as anybody waits. Thread-safe.
class fetches {
public:
  fetches(place& where, fetch_settings settings);
  ~fetches(); ///< nobody waits any more

  /// Returns when the image is there. `gone` is asked a few times a second: whether this one has stopped waiting. Throws
  /// std::runtime_error with the reason why there is no image.
  void wait_for(const dataset_id& image, const fetch::order& what, const std::function<bool()>& gone);

  /// How far the fetch of an image is; null where there is none.
  std::shared_ptr<const fetch_progress> progress_of(const dataset_id& image) const;
  std::vector<std::pair<dataset_id, std::shared_ptr<const fetch_progress>>> running() const;

private:
  struct one;
  using lock = std::unique_lock<std::mutex>;
  std::shared_ptr<one> join(lock& held, const dataset_id& image, const fetch::order& what,
                            const std::function<bool()>& gone);
  std::shared_ptr<one> begin(const dataset_id& image, const fetch::order& what);
  void leave(lock& held, const dataset_id& image, one& of);
  void work(one& on, const dataset_id& image);
  void fill(one& on, const dataset_id& image);
  bool is_there(const dataset_id& image, const fetch::order& what) const;

  place& place_;
  const fetch_settings settings_;
  mutable std::mutex mutex_;
  std::condition_variable changed_; // one of them ended, or left the map
  std::map<dataset_id, std::shared_ptr<one>> running_;
  std::atomic<unsigned> next_file_ = 0;
};

} // namespace mistify::agents::storage
