#include "rpc/base/metrics.hpp"

#include <algorithm>
#include <cmath>

namespace mistify::rpc::metrics {

gauge_share& gauge_share::operator=(gauge_share&& other) noexcept {
  if (this == &other)
    return *this;
  set(0);
  of_ = std::exchange(other.of_, nullptr);
  own_ = std::exchange(other.own_, 0);
  return *this;
}

void gauge_share::set(std::size_t level) noexcept {
  const auto now = static_cast<std::int64_t>(level);
  if (of_ && now != own_)
    of_->add(now - std::exchange(own_, now));
}

buckets seconds(std::initializer_list<double> bounds) {
  buckets shape;
  shape.scale = 1e9;
  for (const double bound : bounds)
    shape.bounds.push_back(static_cast<std::uint64_t>(std::llround(bound * 1e9)));
  return shape;
}

buckets latency() {
  return seconds({0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1, 5, 15, 60});
}

histogram::histogram(buckets shape)
  : shape_{std::move(shape)}, counts_{std::make_unique<std::atomic<std::uint64_t>[]>(shape_.bounds.size() + 1)} {}

/// Most values are small and the buckets few, so a linear search is faster than a binary one.
void histogram::observe(std::uint64_t value) noexcept {
  std::size_t index = 0;
  while (index < shape_.bounds.size() && value > shape_.bounds[index])
    ++index;
  counts_[index].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

family& registry::family_of(metrics::kind kind, std::string_view name, std::string_view help) {
  const auto found = std::find_if(families_.begin(), families_.end(), [&](const family& f) { return f.name == name; });
  if (found != families_.end())
    return *found;
  return families_.emplace_back(family{std::string{name}, std::string{help}, kind, {}});
}

family::row* registry::find(family& in, const labels& of) {
  const auto found = std::find_if(in.rows.begin(), in.rows.end(), [&](const auto& row) { return row.labels == of; });
  return found == in.rows.end() ? nullptr : &*found;
}

counter& registry::add_counter(std::string_view name, std::string_view help, labels of) {
  const std::lock_guard lock{mutex_};
  auto& in = family_of(kind::counter, name, help);
  auto* row = find(in, of);
  return std::get<counter>((row ? *row : in.rows.emplace_back(std::move(of), std::in_place_type<counter>)).value);
}

gauge& registry::add_gauge(std::string_view name, std::string_view help, labels of) {
  const std::lock_guard lock{mutex_};
  auto& in = family_of(kind::gauge, name, help);
  auto* row = find(in, of);
  return std::get<gauge>((row ? *row : in.rows.emplace_back(std::move(of), std::in_place_type<gauge>)).value);
}

histogram& registry::add_histogram(std::string_view name, std::string_view help, const buckets& shape, labels of) {
  const std::lock_guard lock{mutex_};
  auto& in = family_of(kind::histogram, name, help);
  auto* row = find(in, of);
  if (!row)
    row = &in.rows.emplace_back(std::move(of), std::make_unique<histogram>(shape));
  return *std::get<std::unique_ptr<histogram>>(row->value);
}

void registry::add_function(metrics::kind kind, std::string_view name, std::string_view help, function value,
                            labels of) {
  const std::lock_guard lock{mutex_};
  auto& in = family_of(kind, name, help);
  if (auto* row = find(in, of))
    row->value = std::move(value);
  else
    in.rows.emplace_back(std::move(of), std::move(value));
}

void registry::visit(const std::function<void(const family&)>& show) const {
  const std::lock_guard lock{mutex_};
  for (const auto& one : families_)
    show(one);
}

} // namespace mistify::rpc::metrics
