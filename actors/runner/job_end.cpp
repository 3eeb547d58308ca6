#include "actors/runner/job_end.hpp"

#include "rpc/base/log.hpp"
#include "rpc/model/codec.hpp"

namespace mistify::actors {

namespace {

std::string in_words(job_outcome how) {
  switch (how) {
  case job_outcome::complete: return "complete";
  case job_outcome::error: return "error";
  case job_outcome::cancelled: return "cancelled";
  case job_outcome::interrupted: return "interrupted";
  }
  return "error";
}

} // namespace

void tell_end(job_metrics& counted, const action_kind& what, job_outcome how, const rpc::job& job,
              const std::string& request_id, const job_times& times) {
  counted.ended(what, how, times);
  const auto write = job.status == rpc::job_status::error ? rpc::log::warning : rpc::log::info;
  write("job ended", {{"job", job.id},
                      {"guest", job.guest_id},
                      {"action", job.action},
                      {"status", std::string{rpc::to_string(job.status)}},
                      {"code", std::string{rpc::to_string(job.code)}},
                      {"message", job.message},
                      {"request_id", request_id}});
  rpc::log::audit("job ended", {{"job", job.id},
                                {"guest", job.guest_id},
                                {"action", job.action},
                                {"outcome", in_words(how)},
                                {"code", std::string{rpc::to_string(job.code)}},
                                {"message", job.message},
                                {"request_id", request_id}});
}

rpc::job unrecorded_end(const action_kind& what, const std::string& id, const std::string& guest_id,
                        const std::string& message, rpc::job_code code) {
  rpc::job job;
  job.id = id;
  job.guest_id = guest_id;
  job.action = what.name;
  job.status = rpc::job_status::error;
  job.message = message;
  job.code = code;
  return job;
}

} // namespace mistify::actors
