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

/// What the actors count. Each knows its counters from the start; the registry they are made in outlives all actors.
namespace mistify::actors {

/// How a job ended, as operators tell it apart.
enum class job_outcome : std::uint8_t { complete, error, cancelled, interrupted };

/// How long a job took, by a clock that nobody sets; nothing where it never began.
struct job_times {
  std::optional<std::chrono::nanoseconds> waited, took;
};

/// Jobs by action and outcome. Thread-safe.
class job_metrics {
public:
  explicit job_metrics(rpc::metrics::registry& in);

  void queued(const action_kind& what) { of(what).queued.add(); }
  void ended(const action_kind& what, job_outcome how, const job_times& times);
  /// For jobs that ended beside another one: nobody knows when they began.
  void ended(const action_kind& what, job_outcome how) { of(what).ended[static_cast<std::size_t>(how)]->add(); }

private:
  struct row {
    rpc::metrics::counter& queued;
    std::array<rpc::metrics::counter*, 4> ended; // by outcome
    rpc::metrics::histogram& took;
  };
  row& of(const action_kind& what) { return rows_.at(&what); }

  std::map<const action_kind*, row> rows_; // fixed after the start
  rpc::metrics::histogram& waited_;
};

/// What the runners of all guests have waiting and running, in sum.
struct runner_metrics {
  explicit runner_metrics(rpc::metrics::registry& in);

  job_metrics jobs;
  rpc::metrics::gauge &jobs_waiting, &jobs_running;
  rpc::metrics::gauge &info_waiting, &info_running;
  rpc::metrics::gauge &streams_waiting, &streams_running;
};

/// The calls to one service. Copies count in the same place.
class service_metrics {
public:
  service_metrics(rpc::metrics::registry& in, const std::string& service);

  /// A call that was made: what came of it, and how long it took.
  void called(const rpc::outcome<std::string>& result, std::chrono::nanoseconds took) const;
  /// A call that was never made, because it waited too long, or too many did.
  void not_called(const rpc::failure& why) const { outcome_of(why).add(); }

  rpc::metrics::gauge& waiting() const { return *waiting_; }
  rpc::metrics::gauge& running() const { return *running_; }

private:
  rpc::metrics::counter& outcome_of(const rpc::failure& why) const;

  rpc::metrics::counter *ok_, *error_, *timeout_, *cancelled_, *refused_;
  rpc::metrics::histogram* took_;
  rpc::metrics::gauge *waiting_, *running_;
};

/// Commits of the database.
struct commit_metrics {
  explicit commit_metrics(rpc::metrics::registry& in);

  /// Says, as long as it lives, that the log is inside the database, where the disk may hold it up.
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

  /// For how long the log has been inside; nothing while it is not. Any thread may ask.
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
