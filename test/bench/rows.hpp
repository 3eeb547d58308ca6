#pragma once

#include "lab.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace mistify::bench {

/// One line of the table.
struct figure {
  std::string work, ours, theirs; ///< for people
  double value = 0;               ///< compared with the goal
  double goal = 0;
  bool at_least = true; ///< else: at most
  std::string unit = {};

  bool met() const { return at_least ? value >= goal : value <= goal; }
};

using row = std::function<std::vector<figure>(lab&)>;

// Each function measures one row of the table; bench.cpp has the names of the rows.
std::vector<figure> row_get(lab& in);
std::vector<figure> row_metrics(lab& in);
std::vector<figure> row_hang(lab& in);
std::vector<figure> row_jobs(lab& in);
std::vector<figure> row_download(lab& in);
std::vector<figure> row_memory(lab& in);
std::vector<figure> row_idle(lab& in);
std::vector<figure> row_ready(lab& in);
std::vector<figure> row_look(lab& in);
std::vector<figure> row_flat(lab& in);
std::vector<figure> row_tls(lab& in);
std::vector<figure> row_nginx_get(lab& in);
std::vector<figure> row_nginx_metrics(lab& in);
std::vector<figure> row_nginx_download(lab& in);
std::vector<figure> row_nginx_list(lab& in);
std::vector<figure> row_alone(lab& in);
std::vector<figure> row_start(lab& in);

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// Two alternating measurements. The ratio is the median of the pairs' ratios: temporary load on the machine affects
/// both halves of a pair.
struct pairs {
  double ours = 0, theirs = 0, ratio = 0;
};

inline pairs measure_in_turn(int rounds, const std::function<double()>& ours, const std::function<double()>& theirs) {
  std::vector<double> a, b, ratios;
  for (int i = 0; i < rounds; ++i) {
    a.push_back(ours());
    b.push_back(theirs());
    ratios.push_back(a.back() / b.back());
  }
  return {median(a), median(b), median(ratios)};
}

/// Formats a number for people, with `digits` decimals.
std::string in_words(double value, int digits = 0);

} // namespace mistify::bench
