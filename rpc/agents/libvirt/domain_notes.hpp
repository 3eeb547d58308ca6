#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace mistify::agents {

/// What libvirt's events say of domains and their state does not: why one crashed, and how often one was reset. Lost with the
/// process. Thread-safe.
class domain_notes {
public:
  /// Beyond so many domains the notes begin anew.
  static constexpr std::size_t most = 20'000;

  /// An event of a domain's life: numbers of virDomainEventType, and of the detail of that.
  void note_life(const std::string& uuid, int event, int detail);
  void note_reset(const std::string& uuid);
  /// The hypervisor tells of resets.
  void expect_resets();

  /// "panic", "killed", or "crashed" where nothing is known.
  std::string crash_of(const std::string& uuid) const;

  bool hears_resets() const;
  std::uint64_t resets_of(const std::string& uuid) const; ///< 0 if nothing is known

private:
  struct row {
    std::string crash;
    std::uint64_t resets = 0;
  };
  row& at(const std::string& uuid);

  mutable std::mutex mutex_;
  std::map<std::string, row> rows_;
  bool hears_resets_ = false;
};

} // namespace mistify::agents
