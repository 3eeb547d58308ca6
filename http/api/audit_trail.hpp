#pragma once

#include "store/audit.hpp"

#include <functional>
#include <memory>

namespace mistify::http {

/// Stores entries of the audit that are committed with no change: refusals, downloads, looks at the agent's insides, and
/// changes that failed. The log has a line for each in any case. Thread-safe, never blocks.
class audit_trail {
public:
  /// Writes an entry and calls its second argument once, with false if it failed. Must not block.
  using writer = std::function<void(store::audit_ptr, std::function<void(bool)>)>;

  /// Most entries that wait for their commit; refusals a second that are stored. Beyond either an entry is only counted,
  /// in `missed` of the next one: a client without rights must not keep the disk busy.
  static constexpr std::size_t most_waiting = 256, refusals_per_second = 20;

  explicit audit_trail(writer write);
  ~audit_trail();

  void note(store::audit_entry what);

private:
  struct state;
  const std::shared_ptr<state> state_; // the writer's answers may come later than the destructor
};

} // namespace mistify::http
