#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::actors {

/// What becomes of a guest that does not go off, or boot anew, in time.
enum class when_late : std::uint8_t { poweroff, fail };

/// What a client asks for beside an action on a guest. It is kept with the job, as its `request`.
struct guest_wish {
  bool force = false;                         ///< of a delete: stages that fail are passed over
  bool preempt = false;                       ///< ends what runs and waits for the guest
  bool keep_wanted = false;                   ///< what the guest is wished to be stays: the host goes down
  bool start = false;                         ///< of a create: a start follows
  std::optional<std::chrono::seconds> wait{}; ///< how long the guest may take
  std::optional<when_late> then{};

  bool has_params() const noexcept { return preempt || wait || then; }
};

/// "poweroff" or "fail"; null for any other text.
std::optional<when_late> when_late_from(std::string_view text) noexcept;

/// The JSON object that stages are sent as `params`; empty if there are none.
std::string params_of(const guest_wish& wish);

/// The text that is kept; empty for a wish of nothing, and `forced_delete` for one that only forces.
std::string encode(const guest_wish& wish);

/// Reads what `encode` wrote. Anything else is a wish of nothing.
guest_wish decode_wish(std::string_view request) noexcept;

} // namespace mistify::actors
