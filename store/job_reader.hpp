#pragma once

#include "rpc/model/model.hpp"
#include "store/audit.hpp"
#include "store/events.hpp"
#include "store/job_filter.hpp"
#include "store/journal.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace mistify::store {

/// Reads the job log and the events concurrently with the writer, from any thread: a point read takes microseconds
/// and never waits for a commit. Sees everything that was committed before the call. Throws
/// `failure{storage_failed}`.
class job_reader {
public:
  /// The database must exist with a schema of this version (a journal was opened on it). At most `connections` reads
  /// run at a time; the next read waits.
  explicit job_reader(const std::string& path, std::size_t connections = 4);
  ~job_reader();

  std::optional<rpc::job> find(std::string_view job_id) const;

  /// Newest first, at most `limit`.
  std::vector<rpc::job> latest(const job_filter& which, std::size_t limit) const;
  std::vector<rpc::job> latest(std::size_t limit) const { return latest({}, limit); }
  std::vector<rpc::job> latest_of(std::string guest_id, std::size_t limit) const {
    return latest({.guest = std::move(guest_id), .action = {}}, limit);
  }

  /// Shows the jobs of a guest, or all if it is empty, newest first, with what `matches` looks at only: the rest of a
  /// job is costly to read. `see` must not use this reader.
  void visit(std::string_view guest, const job_visitor& see) const;

  /// Returns the first response to a request with this Idempotency-Key; null for a new or empty key. Throws
  /// `failure{conflict}` if the key was used with another request.
  std::optional<queued_job> repeated(std::string_view key, std::string_view request_digest) const;

  /// Returns the audit's newest entries that match, newest first, at most `limit`.
  std::vector<audit_entry> audited(const audit_filter& filter, std::size_t limit) const;
  /// Returns the ids of the jobs that the client of that `audit_entry::key` queued, as far as the audit reaches back.
  std::unordered_set<std::string> queued_by(std::string_view key) const;

  /// Returns up to `most` events after an id, in order.
  std::vector<event_ptr> events_after(std::int64_t id, std::size_t most) const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::store
