#pragma once

#include "http/access/visibility.hpp"
#include "rpc/model/model.hpp"
#include "store/job_filter.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace mistify::http {

struct context;

/// The jobs that the identity of one request may see. Without a selector: all. Else those of guests that it may see, and
/// those that it queued itself, such as a fetch of an image. A job belongs to the guest that it was queued for: one that
/// is gone is judged by the labels that it had when it was deleted, also if another guest has its id now. For one thread;
/// both arguments outlive it.
class job_view {
public:
  job_view(const context& cx, const principal& who) noexcept;

  bool sees(const rpc::job& job);

  /// The latest that it sees, newest first, at most `wanted`.
  std::vector<rpc::job> latest(const store::job_filter& which, std::size_t wanted);

private:
  /// One of the guests that have had an id. Null: not known yet, as the job that deleted it is older than those read.
  struct owner {
    std::optional<bool> seen;
  };
  using owner_ptr = std::shared_ptr<owner>;
  using owners = std::unordered_map<std::string, owner_ptr>; // by id, of the jobs that are read next

  owner_ptr newest(const std::string& guest);
  owner_ptr pass(owners& all, const rpc::job& job, const rpc::metadata_map* last_labels);
  std::vector<std::string> latest_ids(const store::job_filter& which, std::size_t wanted);
  const std::unordered_set<std::string>& own();

  const context& cx_;
  const principal& who_;
  std::optional<std::unordered_set<std::string>> own_; // read when first asked for
};

} // namespace mistify::http
