#pragma once

#include "actors/config/roles.hpp"

#include <cstdint>

namespace mistify::http {

/// What a route asks of the client. Each row of the table says it.
class requirement {
public:
  enum class kind : std::uint8_t {
    nothing,  ///< anybody may: health, documentation
    identity, ///< any identity will do
    scope,    ///< the identity needs `needs`
    action,   ///< the scope of the guest action in the path
    job,      ///< the scope of the action of the job in the path
  };

  constexpr requirement(actors::scope needed) noexcept
    : kind_{kind::scope}, scope_{needed} {} // NOLINT: rows read better

  static constexpr requirement nothing() noexcept { return requirement{kind::nothing}; }
  static constexpr requirement identity() noexcept { return requirement{kind::identity}; }
  static constexpr requirement by_action() noexcept { return requirement{kind::action}; }
  static constexpr requirement by_job() noexcept { return requirement{kind::job}; }

  constexpr kind what() const noexcept { return kind_; }
  /// Meaningful for `kind::scope` only.
  constexpr actors::scope needs() const noexcept { return scope_; }
  constexpr bool is(actors::scope scope) const noexcept { return kind_ == kind::scope && scope_ == scope; }

private:
  explicit constexpr requirement(kind k) noexcept : kind_{k} {}

  kind kind_;
  actors::scope scope_ = actors::scope::admin;
};

} // namespace mistify::http
