#include "http/api/request_metrics.hpp"

#include "http/api/error_map.hpp"

#include <algorithm>

namespace mistify::http {

namespace {

namespace metrics = rpc::metrics;
using clock = std::chrono::steady_clock;

/// The statuses that the agent itself sends. A sub-agent may refuse a download with any status; those count as
/// "other", which bounds the number of series.
constexpr std::array statuses{200, 201, 202, 204, 400, 401, 403, 404, 405, 408, 409,
                              412, 413, 421, 422, 429, 500, 501, 502, 503, 504, 507};

} // namespace

route_metrics::route_metrics(metrics::registry& all, std::string_view method, std::string_view pattern)
  : all_{all}, method_{method}, pattern_{pattern} {
  static_assert(std::tuple_size_v<decltype(answers_)> == statuses.size() + 1, "one for each status, one for others");
}

void route_metrics::note(int status, std::chrono::nanoseconds took) {
  answers(status).add();
  durations().observe(took);
}

metrics::counter& route_metrics::answers(int status) {
  const auto* found = std::find(statuses.begin(), statuses.end(), status);
  auto& place = answers_[static_cast<std::size_t>(found - statuses.begin())];
  if (auto* known = place.load(std::memory_order_acquire))
    return *known;
  auto& made = all_.add_counter(
    "mistify_http_requests_total", "Requests that were answered.",
    {{"method", method_}, {"route", pattern_}, {"status", found == statuses.end() ? "other" : std::to_string(status)}});
  place.store(&made, std::memory_order_release);
  return made;
}

metrics::histogram& route_metrics::durations() {
  if (auto* known = durations_.load(std::memory_order_acquire))
    return *known;
  auto& made = all_.add_histogram("mistify_http_request_duration_seconds",
                                  "From a request's last byte to its answer; of downloads, to the end of the transfer.",
                                  metrics::latency(), {{"method", method_}, {"route", pattern_}});
  durations_.store(&made, std::memory_order_release);
  return made;
}

table_metrics::table_metrics(metrics::registry& all, const std::vector<route>& table)
  : table_{table}, unknown_{all, "any", "unknown"} {
  for (const auto& row : table)
    rows_.push_back(std::make_unique<route_metrics>(all, row.method, row.pattern));
}

task<answer> observed(route_metrics& in, request_log_entry note, task<answer> work) {
  const auto begin = clock::now();
  std::optional<answer> failed;
  answer* out = nullptr; // where `work` has it: an answer is some 200 bytes, and moved as seldom as can be
  try {
    auto&& done = co_await work; // moved, it would live to the end of the line only
    out = &done;
  } catch (...) {
    out = &failed.emplace(error_answer(std::current_exception()));
  }
  auto* stream = std::get_if<streamed>(&out->body);
  if (!stream) {
    in.note(out->status, clock::now() - begin);
    note.answered(out->about, out->status);
    co_return std::move(*out);
  }
  stream->run = [&in, note = std::move(note), begin, run = std::move(stream->run)](download_channel& to) {
    auto ended = [&] {
      try {
        return run(to);
      } catch (...) {
        return error_answer(std::current_exception());
      }
    }();
    in.note(ended.status, clock::now() - begin);
    note.answered({}, ended.status);
    return ended;
  };
  co_return std::move(*out);
}

} // namespace mistify::http
