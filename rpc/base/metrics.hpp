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

/// The agent's metrics. Counting is one relaxed atomic operation on any thread. Users keep the reference that the
/// registry returned at the start, so that no name is looked up later. Names, units and labels follow the conventions
/// of Prometheus. A label has few, known values: never ids of guests or jobs.
namespace mistify::rpc::metrics {

/// A monotonic counter.
class counter {
public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// A value that goes up and down, such as the length of a queue.
class gauge {
public:
  void add(std::int64_t n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::int64_t> value_{0};
};

/// The share of one holder in a common gauge. The destructor removes the share from the gauge. Not thread-safe; the
/// gauge outlives it.
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
  gauge* of_ = nullptr; // null: not counted
  std::int64_t own_ = 0;
};

/// Upper bounds of a histogram's buckets, ascending, in the unit of observation. `scale` units of observation are one
/// displayed unit: 1e9 converts nanoseconds to seconds.
struct buckets {
  std::vector<std::uint64_t> bounds;
  double scale = 1;
};

/// Buckets for durations: bounds in seconds, observed in nanoseconds.
buckets seconds(std::initializer_list<double> bounds);
/// From a tenth of a millisecond to the one minute that clients wait at most.
buckets latency();

/// A distribution of values over buckets.
class histogram {
public:
  explicit histogram(buckets shape);

  void observe(std::uint64_t value) noexcept;
  void observe(std::chrono::nanoseconds d) noexcept {
    observe(static_cast<std::uint64_t>(std::max<std::int64_t>(0, d.count())));
  }

  const buckets& shape() const noexcept { return shape_; }
  /// Number of values in that bucket alone; the last bucket has no upper bound.
  std::uint64_t in_bucket(std::size_t index) const noexcept { return counts_[index].load(std::memory_order_relaxed); }
  /// Sum of all values in the displayed unit.
  double sum() const noexcept { return static_cast<double>(sum_.load(std::memory_order_relaxed)) / shape_.scale; }

private:
  buckets shape_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<std::uint64_t> sum_{0};
};

using labels = std::vector<std::pair<std::string, std::string>>;
enum class kind : std::uint8_t { counter, gauge, histogram };
/// Computes a metric when it is read. Called on any thread; must be quick and must not throw.
using function = std::function<double()>;

/// The metrics of one name, a row for each set of labels.
struct family {
  struct row {
    metrics::labels labels;
    std::variant<counter, gauge, std::unique_ptr<histogram>, function> value;

    template <class... Ts>
    explicit row(metrics::labels l, Ts&&... v) : labels{std::move(l)}, value{std::forward<Ts>(v)...} {}
  };
  std::string name, help;
  metrics::kind kind;
  std::deque<row> rows; // a deque keeps references to its elements valid
};

/// All metrics of a process. The returned references live as long as the registry; the same name and labels return
/// the same object. Thread-safe.
class registry {
public:
  counter& add_counter(std::string_view name, std::string_view help, labels of = {});
  gauge& add_gauge(std::string_view name, std::string_view help, labels of = {});
  histogram& add_histogram(std::string_view name, std::string_view help, const buckets& shape, labels of = {});
  /// Adds a counter or gauge whose value is stored elsewhere.
  void add_function(metrics::kind kind, std::string_view name, std::string_view help, function value, labels of = {});

  /// Calls `show` for every family in the order of adding. Adding waits meanwhile.
  void visit(const std::function<void(const family&)>& show) const;

private:
  family& family_of(metrics::kind kind, std::string_view name, std::string_view help);
  family::row* find(family& in, const labels& of);

  mutable std::mutex mutex_;
  std::deque<family> families_;
};

} // namespace mistify::rpc::metrics
