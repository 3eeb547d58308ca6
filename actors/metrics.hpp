#pragma once

#include "actors/config/config.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/metrics.hpp"
#include "rpc/model/model.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

/// The metrics of the actors. Each object looks its metrics up once, when it is created; the registry outlives all
/// actors.
namespace mistify::actors {

/// How a job ended, for operators.
enum class job_outcome : std::uint8_t { complete, error, cancelled, interrupted };

/// Durations of a job by the steady clock; null if it never began.
struct job_times {
  std::optional<std::chrono::nanoseconds> waited, took;
};

/// Metrics of jobs by action and outcome. Thread-safe.
class job_metrics {
public:
  explicit job_metrics(rpc::metrics::registry& in);

  void queued(const action_kind& what) { of(what).queued.add(); }
  void ended(const action_kind& what, job_outcome how, const job_times& times);
  /// For jobs ended by another job, such as a delete: their begin is not known.
  void ended(const action_kind& what, job_outcome how) { of(what).ended[static_cast<std::size_t>(how)]->add(); }

private:
  struct row {
    rpc::metrics::counter& queued;
    std::array<rpc::metrics::counter*, 4> ended; // by outcome
    rpc::metrics::histogram& took;
  };
  row& of(const action_kind& what) { return rows_.at(&what); }

  std::map<const action_kind*, row> rows_; // constant after the start
  rpc::metrics::histogram& waited_;
};

/// Sums over the runners of all guests: what waits and what runs.
struct runner_metrics {
  explicit runner_metrics(rpc::metrics::registry& in);

  job_metrics jobs;
  rpc::metrics::gauge &jobs_waiting, &jobs_running;
  rpc::metrics::gauge &info_waiting, &info_running;
  rpc::metrics::gauge &streams_waiting, &streams_running;
  rpc::metrics::gauge &logs_waiting, &logs_running;
};

/// Metrics of the calls to one service. Copies count in the same place.
class service_metrics {
public:
  service_metrics(rpc::metrics::registry& in, const std::string& service);

  /// Counts a call that was made: its result and duration.
  void called(const rpc::outcome<rpc::json::document>& result, std::chrono::nanoseconds took) const;
  /// Counts a call that was never made: it waited too long, or the queue was full.
  void not_called(const rpc::failure& why) const { outcome_of(why).add(); }

  rpc::metrics::gauge& waiting() const { return *waiting_; }
  rpc::metrics::gauge& running() const { return *running_; }

private:
  rpc::metrics::counter& outcome_of(const rpc::failure& why) const;

  rpc::metrics::counter *ok_, *error_, *timeout_, *cancelled_, *refused_;
  rpc::metrics::histogram* took_;
  rpc::metrics::gauge *waiting_, *running_;
};

/// Metrics of the database's commits.
struct commit_metrics {
  explicit commit_metrics(rpc::metrics::registry& in);

  /// While it lives, the log is inside the database and may be blocked by the disk.
  class visit {
  public:
    explicit visit(commit_metrics& of) noexcept : of_{of} {
      of_.inside_since_ = std::chrono::steady_clock::now().time_since_epoch().count();
    }
    ~visit() { of_.inside_since_ = outside; }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

  private:
    commit_metrics& of_;
  };

  /// Returns for how long the log has been inside; null if it is not. Thread-safe.
  std::optional<std::chrono::steady_clock::duration> lasts(std::chrono::steady_clock::time_point now) const noexcept {
    const auto since = inside_since_.load();
    if (since == outside)
      return std::nullopt;
    return now.time_since_epoch() - std::chrono::steady_clock::duration{since};
  }

  rpc::metrics::counter &committed, &failed;
  rpc::metrics::histogram &took, &steps;

private:
  static constexpr std::int64_t outside = -1;
  std::atomic<std::int64_t> inside_since_{outside};
};

} // namespace mistify::actors
