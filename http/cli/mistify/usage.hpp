#pragma once

#include "http/cli/mistify/resolve.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::cli {

/// What a guest used between two looks: shares of one processor, and bytes a second.
struct guest_usage {
  std::string id, name;
  bool known = false; ///< two looks have figures of it
  double cpu = 0, read = 0, write = 0, rx = 0, tx = 0;
};

/// Computes rates from the totals of /metrics/guests. The page is cached, so a rate uses the time between two samples, not
/// between two requests.
class usage_meter {
public:
  using clock = std::chrono::steady_clock;

  /// Reads a page in the text format of Prometheus that was received at `at`. Ignores lines that it does not know.
  void take(std::string_view page, clock::time_point at);
  std::uint64_t looks() const noexcept { return looks_; }
  /// Whether the last page had figures of a guest.
  bool has_figures() const noexcept { return !all_.empty(); }
  /// Whether there are rates of all guests that have figures; not before one has.
  bool has_rates() const noexcept;

  /// The guests by `column`: "guest" by name, else the largest first.
  std::vector<guest_usage> usage(const std::vector<named>& guests, std::string_view column) const;

private:
  struct totals {
    double cpu = 0, read = 0, write = 0, rx = 0, tx = 0, age = 0;
    clock::time_point taken;
  };
  struct entry {
    totals before, now;
    unsigned figures = 0;

    void take(const totals& fresh);
  };
  std::map<std::string, entry, std::less<>> all_;
  std::uint64_t looks_ = 0;
};

} // namespace mistify::cli
