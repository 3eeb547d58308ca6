#pragma once

#include "rpc/agents/storage/fetch.hpp"
#include "rpc/agents/storage/place.hpp"
#include "rpc/fetch/fetch_queue.hpp"

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

namespace mistify::agents::storage {

/// The fetches of disk images into the store. Thread-safe.
class fetches {
public:
  /// Throws as `fetch_queue`.
  fetches(place& where, fetch_settings settings);

  /// Returns when the image is there; see `fetch_queue::wait_for`.
  void wait_for(const dataset_id& image, const fetch::order& what, const rpc::asker& who);

  /// How far the fetch of an image is; null where there is none.
  std::shared_ptr<const fetch_progress> progress_of(const dataset_id& image) const;
  std::vector<std::pair<dataset_id, std::shared_ptr<const fetch_progress>>> running() const;

private:
  void fill(const dataset_id& image, const fetch::order& what, fetch_progress& progress,
            const std::function<bool()>& stop);
  bool is_there(const dataset_id& image, const fetch::order& what) const;
  void expect_size_of(const dataset_id& image) const;

  place& place_;
  std::atomic<unsigned> next_file_ = 0;
  fetch_queue queue_; // last: it calls `fill`
};

} // namespace mistify::agents::storage
