#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace mistify::agents {

/// What libvirt's events say of domains and their state does not: why one crashed, and how often one was reset. Lost
/// with the process. Thread-safe.
class domain_notes {
public:
  /// Beyond so many domains the notes begin anew.
  static constexpr std::size_t most = 20'000;

  /// An event of a domain's life: numbers of virDomainEventType, and of the detail of that.
  void note_life(const std::string& uuid, int event, int detail);
  void note_reset(const std::string& uuid);
  /// The hypervisor tells of resets from now on.
  void expect_resets();
  /// The connection that told of resets is gone: some may be missed until the next `expect_resets`.
  void miss_resets();

  /// "panic", "killed", or "crashed" where nothing is known.
  std::string crash_of(const std::string& uuid) const;

  /// How often a domain was reset while one connection told of that. Counts of two connections are never equal.
  struct reset_count {
    std::uint64_t epoch = 0, count = 0;
    bool operator==(const reset_count&) const = default;
  };
  /// Null while no resets are told of.
  std::optional<reset_count> resets_of(const std::string& uuid) const;

private:
  struct row {
    std::string crash;
    std::uint64_t resets = 0;
  };
  row& at(const std::string& uuid);

  mutable std::mutex mutex_;
  std::map<std::string, row> rows_;
  bool hears_resets_ = false;
  std::uint64_t epoch_ = 0; ///< connections whose resets are no longer told of
};

} // namespace mistify::agents
