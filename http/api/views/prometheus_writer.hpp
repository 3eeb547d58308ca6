#pragma once

#include "rpc/base/metrics.hpp"

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace mistify::http {

/// Writes the text format of Prometheus (version 0.0.4): each family once, with its samples together.
class prometheus_writer {
public:
  using label = std::pair<std::string_view, std::string_view>;

  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  /// Begins a family; `type` is "counter", "gauge" or "histogram".
  void family(std::string_view name, std::string_view help, std::string_view type);

  /// Writes a sample of the current family; `suffix` is appended to its name in histograms.
  template <class Labels>
  void sample(std::string_view suffix, const Labels& labels, double value) {
    begin_sample(suffix);
    for (const auto& [name, text] : labels)
      add_label(name, text);
    end_sample(value);
  }
  void sample(std::initializer_list<label> labels, double value) { sample("", labels, value); }
  void sample(double value) { sample({}, value); }

  /// Returns the text so far and clears it.
  std::string take() { return std::exchange(text_, {}); }
  std::size_t size() const noexcept { return text_.size(); }

private:
  void begin_sample(std::string_view suffix);
  void add_label(std::string_view name, std::string_view value);
  void end_sample(double value);

  std::string name_, text_;
  bool has_labels_ = false;
};

/// Returns all metrics of a registry, or those whose name `shows` approves.
std::string render(const rpc::metrics::registry& all);
std::string render(const rpc::metrics::registry& all, const std::function<bool(std::string_view name)>& shows);

} // namespace mistify::http
