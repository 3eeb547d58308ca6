#pragma once

#include "http/api/request_log.hpp"
#include "http/api/router.hpp"
#include "http/api/task.hpp"
#include "http/protocol/message.hpp"
#include "rpc/base/metrics.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

/// Counts of a route's requests by outcome, and their durations. Thread-safe.
class route_metrics {
public:
  /// `all` outlives this.
  route_metrics(rpc::metrics::registry& all, std::string_view method, std::string_view pattern);

  void note(int status, std::chrono::nanoseconds took);

private:
  rpc::metrics::counter& answers(int status);
  rpc::metrics::histogram& durations();

  rpc::metrics::registry& all_;
  const std::string method_, pattern_;
  // Created by the first request: most routes never send most statuses, and many routes are never used.
  std::array<std::atomic<rpc::metrics::counter*>, 23> answers_{};
  std::atomic<rpc::metrics::histogram*> durations_{nullptr};
};

/// The metrics of a routing table: one for each row, and one for unknown routes.
class table_metrics {
public:
  /// `all` and `table` outlive this.
  table_metrics(rpc::metrics::registry& all, const std::vector<route>& table);

  /// `row` is one of the table, or null.
  route_metrics& of(const route* row) { return row ? *rows_[static_cast<std::size_t>(row - table_.data())] : unknown_; }

private:
  const std::vector<route>& table_;
  std::vector<std::unique_ptr<route_metrics>> rows_;
  route_metrics unknown_;
};

/// Runs `work` and passes its end to metrics and log: its answer, or, for a download, the end of the transfer. Turns
/// exceptions of `work` into answers here, for their status.
task<answer> observed(route_metrics& in, request_log_entry note, task<answer> work);

} // namespace mistify::http
