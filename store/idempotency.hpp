#pragma once

#include "store/journal.hpp"
#include "store/sqlite.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace mistify::store {

/// A reader's view of the table `idempotency`: the first response to each request with a key, kept as long as its job
/// is in the log. Throws `failure{storage_failed}`.
class idempotency_lookup {
public:
  explicit idempotency_lookup(const database& db);

  /// Returns the earlier response for the key; null for the empty key or a new one. Throws `failure{conflict}` if the
  /// key was used with another request.
  std::optional<queued_job> answer(std::string_view key, std::string_view request_digest);

private:
  statement find_;
};

/// Bounds the database: each key is stored with a guest's document.
inline constexpr std::int64_t most_keys_of_a_job = 100;

/// The writer's view of the table `idempotency`.
class idempotency_table {
public:
  explicit idempotency_table(const database& db);

  /// Like `idempotency_lookup::answer`, for the key and the digest of a job.
  std::optional<queued_job> answer(const new_job& job) {
    return lookup_.answer(job.idempotency_key, job.request_digest);
  }

  /// Stores the response for the key of `job`, if it has one.
  void keep(const new_job& job, std::int64_t seq, std::string_view guest_doc);

  /// Like `keep`, for a request that an earlier job answers. Throws `failure{queue_full}` if that job has
  /// `most_keys_of_a_job` keys.
  void keep_another(const new_job& job, std::int64_t seq, std::string_view guest_doc);

private:
  idempotency_lookup lookup_;
  statement insert_, count_;
};

} // namespace mistify::store
