#include "store/job_rows.hpp"

#include "store/job_columns.hpp"
#include "store/jobs.hpp"

namespace mistify::store {

rpc::job read_job(const query& row) {
  rpc::job job;
  job.id = row.text(0);
  job.guest_id = row.text(1);
  job.action = row.text(2);
  job.status = static_cast<rpc::job_status>(row.integer(3));
  job.queued_at = from_column(row.integer(4));
  job.started_at = from_column(row.integer(5));
  job.updated_at = from_column(row.integer(6));
  job.message = row.text(7);
  job.code = static_cast<rpc::job_code>(row.integer(8));
  read_stages_column(row.text(9), job);
  job.progress = read_progress_column(row.text(10));
  job.request_id = row.text(11);
  job.user = row.text(12);
  return job;
}

} // namespace mistify::store
