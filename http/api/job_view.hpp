#pragma once

#include "http/access/visibility.hpp"
#include "rpc/model/model.hpp"
#include "store/job_filter.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace mistify::http {

struct context;

/// The jobs that the identity of one request may see. Without a selector: all. Else those of guests that it may see,
/// since that guest was created (another owner's guest may have had the id before), and those that it queued itself: a
/// delete whose guest is gone, a fetch of an image. For one thread; both arguments outlive it.
class job_view {
public:
  job_view(const context& cx, const principal& who) noexcept;

  bool sees(const rpc::job& job);

  /// The latest that it sees, newest first, at most `wanted`.
  std::vector<rpc::job> latest(const store::job_filter& which, std::size_t wanted);

private:
  std::vector<std::string> latest_ids(const store::job_filter& which, std::size_t wanted);
  const std::unordered_set<std::string>& own();

  const context& cx_;
  const principal& who_;
  guest_view guests_;
  std::optional<std::unordered_set<std::string>> own_; // read when first asked for
};

} // namespace mistify::http
