#include "store/idempotency.hpp"

#include "store/jobs.hpp"

#include <string>

namespace mistify::store {

idempotency_lookup::idempotency_lookup(const database& db)
  : find_{db, "SELECT jobs.id, jobs.guest, jobs.action, jobs.queued_at, i.digest, i.guest_doc, jobs.request_id, "
              "jobs.user FROM idempotency AS i JOIN jobs ON jobs.seq = i.job WHERE i.key = ?"} {}

std::optional<queued_job> idempotency_lookup::answer(std::string_view key, std::string_view request_digest) {
  if (key.empty())
    return std::nullopt;
  auto row = find_(key);
  if (!row.next())
    return std::nullopt;
  if (row.text(4) != request_digest)
    throw rpc::failure{rpc::errc::conflict, "Idempotency-Key was used with another request"};
  queued_job first;
  first.job.id = row.text(0);
  first.job.guest_id = row.text(1);
  first.job.action = row.text(2);
  first.job.queued_at = first.job.updated_at = from_column(row.integer(3));
  first.guest_doc = row.text(5);
  first.job.request_id = row.text(6);
  first.job.user = row.text(7);
  first.repeated = true;
  return first;
}

// REPLACE: a key whose job is missing is free again.
idempotency_table::idempotency_table(const database& db)
  : lookup_{db}, insert_{db, "INSERT OR REPLACE INTO idempotency (job, key, digest, guest_doc) VALUES (?, ?, ?, ?)"},
    count_{db, "SELECT count(*) FROM idempotency WHERE job = ?"} {}

void idempotency_table::keep(const new_job& job, std::int64_t seq, std::string_view guest_doc) {
  if (!job.idempotency_key.empty())
    insert_.run(seq, job.idempotency_key, job.request_digest, guest_doc);
}

void idempotency_table::keep_another(const new_job& job, std::int64_t seq, std::string_view guest_doc) {
  if (job.idempotency_key.empty())
    return;
  if (auto row = count_(seq); row.next() && row.integer(0) >= most_keys_of_a_job)
    throw rpc::failure{rpc::errc::queue_full, "the job answers " + std::to_string(most_keys_of_a_job) +
                                                " Idempotency-Keys already, which is the most"};
  keep(job, seq, guest_doc);
}

} // namespace mistify::store
