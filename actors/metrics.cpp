#include "actors/metrics.hpp"

namespace mistify::actors {

namespace {

namespace metrics = rpc::metrics;
using rpc::errc;

/// Bounds for durations of jobs: a reboot takes seconds, an image download hours.
metrics::buckets lengths_of_jobs() {
  return metrics::seconds({0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600});
}

/// Gauges of throttles and queues by state (waiting or running) and kind of work.
metrics::gauge& level(metrics::registry& in, const char* state, const char* kind) {
  if (std::string_view{state} == "waiting")
    return in.add_gauge("mistify_work_waiting", "Work of all guests that waits for its turn.", {{"kind", kind}});
  return in.add_gauge("mistify_work_running", "Work of all guests that has its turn.", {{"kind", kind}});
}

} // namespace

job_metrics::job_metrics(metrics::registry& in)
  : waited_{in.add_histogram("mistify_job_wait_seconds", "From a job's queueing to its start.", lengths_of_jobs())} {
  for (const auto& kind : action_kinds()) {
    if (kind.type != action_type::async)
      continue;
    const std::string action{kind.name};
    const auto ended = [&](const char* outcome) {
      return &in.add_counter("mistify_jobs_ended_total", "Jobs that ended.",
                             {{"action", action}, {"outcome", outcome}});
    };
    rows_.emplace(&kind,
                  row{in.add_counter("mistify_jobs_queued_total", "Jobs that were queued.", {{"action", action}}),
                      {ended("complete"), ended("error"), ended("cancelled"), ended("interrupted")},
                      in.add_histogram("mistify_job_duration_seconds", "From a job's start to its end.",
                                       lengths_of_jobs(), {{"action", action}})});
  }
}

void job_metrics::ended(const action_kind& what, job_outcome how, const job_times& times) {
  ended(what, how);
  if (times.took)
    of(what).took.observe(*times.took);
  if (times.waited)
    waited_.observe(*times.waited);
}

runner_metrics::runner_metrics(metrics::registry& in)
  : jobs{in}, jobs_waiting{level(in, "waiting", "job")}, jobs_running{level(in, "running", "job")},
    info_waiting{level(in, "waiting", "info")}, info_running{level(in, "running", "info")},
    streams_waiting{level(in, "waiting", "stream")}, streams_running{level(in, "running", "stream")},
    logs_waiting{level(in, "waiting", "log")}, logs_running{level(in, "running", "log")} {}

service_metrics::service_metrics(metrics::registry& in, const std::string& service) {
  const auto outcome = [&](const char* name) {
    return &in.add_counter("mistify_service_calls_total", "Calls to sub-agents that ended, or were never made.",
                           {{"service", service}, {"outcome", name}});
  };
  ok_ = outcome("ok");
  error_ = outcome("error");
  timeout_ = outcome("timeout");
  cancelled_ = outcome("cancelled");
  refused_ = outcome("refused");
  took_ = &in.add_histogram("mistify_service_call_duration_seconds", "Of calls to sub-agents, without the wait.",
                            metrics::latency(), {{"service", service}});
  waiting_ = &in.add_gauge("mistify_service_calls_waiting", "Calls and downloads that wait for a place at the service.",
                           {{"service", service}});
  running_ = &in.add_gauge("mistify_service_calls_running", "Calls and downloads under way.", {{"service", service}});
}

metrics::counter& service_metrics::outcome_of(const rpc::failure& why) const {
  switch (why.code()) {
  case errc::sub_agent_timeout: return *timeout_;
  case errc::cancelled: return *cancelled_;
  case errc::queue_full:
  case errc::unavailable: return *refused_;
  default: return *error_;
  }
}

void service_metrics::called(const rpc::outcome<rpc::json::document>& result, std::chrono::nanoseconds took) const {
  const auto* why = std::get_if<rpc::failure>(&result);
  (why ? outcome_of(*why) : *ok_).add();
  took_->observe(took);
}

commit_metrics::commit_metrics(metrics::registry& in)
  : committed{in.add_counter("mistify_commits_total", "Commits of the database.", {{"outcome", "ok"}})},
    failed{in.add_counter("mistify_commits_total", "Commits of the database.", {{"outcome", "error"}})},
    took{in.add_histogram("mistify_commit_duration_seconds", "Of commits that were made durable.", metrics::latency())},
    steps{in.add_histogram("mistify_commit_steps", "Steps that shared a commit.",
                           {{1, 2, 4, 8, 16, 32, 64, 128, 256}, 1})} {}

} // namespace mistify::actors
