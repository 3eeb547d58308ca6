#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What the agent counts about itself. To count is one relaxed atomic operation, on any thread; who counts keeps the
/// reference that the registry gave at the start, and never looks a name up while it works. Names, units and labels
/// follow the conventions of Prometheus. A label's values must be few and known: never ids of guests or jobs.
namespace mistify::rpc::metrics {

/// Only grows.
class counter {
public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// A level, such as the length of a queue.
class gauge {
public:
  void add(std::int64_t n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::int64_t> value_{0};
};

/// What one of many holders adds to a gauge that they share. It goes with the holder, however that ends. Not
/// thread-safe; the gauge outlives it.
class gauge_share {
public:
  gauge_share() = default;
  explicit gauge_share(gauge& of) noexcept : of_{&of} {}
  gauge_share(gauge_share&& other) noexcept
    : of_{std::exchange(other.of_, nullptr)}, own_{std::exchange(other.own_, 0)} {}
  gauge_share& operator=(gauge_share&& other) noexcept;
  ~gauge_share() { set(0); }

  void set(std::size_t level) noexcept;

private:
  gauge* of_ = nullptr; // none: the level is nobody's business
  std::int64_t own_ = 0;
};

/// The upper bounds of a histogram's buckets, ascending, in the unit that is observed. `scale` of it are one of what
/// is shown: 1e9 makes seconds of nanoseconds.
struct buckets {
  std::vector<std::uint64_t> bounds;
  double scale = 1;
};

/// For durations: bounds in seconds, observed in nanoseconds.
buckets seconds(std::initializer_list<double> bounds);
/// From a tenth of a millisecond to the minute after which no client waits any more.
buckets latency();

/// How values are spread over buckets.
class histogram {
public:
  explicit histogram(buckets shape);

  void observe(std::uint64_t value) noexcept;
  void observe(std::chrono::nanoseconds d) noexcept {
    observe(static_cast<std::uint64_t>(std::max<std::int64_t>(0, d.count())));
  }

  const buckets& shape() const noexcept { return shape_; }
  /// Values in the bucket of that index alone; the last one has no upper bound.
  std::uint64_t in_bucket(std::size_t index) const noexcept { return counts_[index].load(std::memory_order_relaxed); }
  /// Of all values, in the unit that is shown.
  double sum() const noexcept { return static_cast<double>(sum_.load(std::memory_order_relaxed)) / shape_.scale; }

private:
  buckets shape_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<std::uint64_t> sum_{0};
};

using labels = std::vector<std::pair<std::string, std::string>>;
enum class kind : std::uint8_t { counter, gauge, histogram };
/// Read when somebody looks. Called on any thread; must be quick and must not throw.
using function = std::function<double()>;

/// One name, with what was counted for each set of labels.
struct family {
  struct row {
    metrics::labels labels;
    std::variant<counter, gauge, std::unique_ptr<histogram>, function> value;

    template <class... Ts>
    explicit row(metrics::labels l, Ts&&... v) : labels{std::move(l)}, value{std::forward<Ts>(v)...} {}
  };
  std::string name, help;
  metrics::kind kind;
  std::deque<row> rows; // a deque, because whoever counts holds a reference
};

/// All that is counted in a process. What it gives out lives as long as it does; asking again for the same name and
/// labels gives the same. Thread-safe.
class registry {
public:
  counter& add_counter(std::string_view name, std::string_view help, labels of = {});
  gauge& add_gauge(std::string_view name, std::string_view help, labels of = {});
  histogram& add_histogram(std::string_view name, std::string_view help, const buckets& shape, labels of = {});
  /// A counter or gauge that is kept elsewhere.
  void add_function(metrics::kind kind, std::string_view name, std::string_view help, function value, labels of = {});

  /// Shows every family, in the order in which they were added. Nothing can be added meanwhile.
  void visit(const std::function<void(const family&)>& show) const;

private:
  family& family_of(metrics::kind kind, std::string_view name, std::string_view help);
  family::row* find(family& in, const labels& of);

  mutable std::mutex mutex_;
  std::deque<family> families_;
};

} // namespace mistify::rpc::metrics
