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

/// How often a route was asked, with what outcome, and how long that took. Thread-safe.
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
  // Made when the first request comes: most routes never see most statuses, and many routes are never asked.
  std::array<std::atomic<rpc::metrics::counter*>, 17> answers_{};
  std::atomic<rpc::metrics::histogram*> durations_{nullptr};
};

/// What a router's table needs: one for each row, and one for whatever is no row.
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

/// Does `work` and tells metrics and log how that ended: its answer, or, for a download, the end of the transfer. What
/// `work` throws becomes an answer here, for its status.
task<answer> observed(route_metrics& in, request_note note, task<answer> work);

} // namespace mistify::http
