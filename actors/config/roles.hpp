#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Rights: scopes, and the roles that bundle them. Pure values, any thread may use them.
namespace mistify::actors {

/// What a route needs. The order is that of the names shown to people.
enum class scope : std::uint8_t {
  read,     ///< guests, images, snapshots, jobs, events, metadata
  metadata, ///< change metadata
  power,    ///< actions on a guest that keep it
  guest,    ///< create, change and delete guests
  snapshot, ///< make, delete and roll back snapshots
  data,     ///< read the contents of disks: downloads
  image,    ///< fetch and delete images
  console,  ///< a guest's console and log
  metrics,  ///< figures of the agent and of all guests
  report,   ///< sub-agents: state of guests, progress of jobs
  debug,    ///< the agent's insides
  admin,    ///< tokens, audit, configuration
};

std::string_view to_string(scope which) noexcept;

/// Null if there is none of that name.
std::optional<scope> find_scope(std::string_view name) noexcept;

/// A set of scopes.
class scope_set {
public:
  constexpr scope_set() = default;
  constexpr scope_set(std::initializer_list<scope> scopes) {
    for (const auto one : scopes)
      add(one);
  }

  constexpr void add(scope one) noexcept { bits_ = static_cast<std::uint16_t>(bits_ | bit(one)); }
  constexpr void add(scope_set others) noexcept { bits_ = static_cast<std::uint16_t>(bits_ | others.bits_); }
  constexpr bool has(scope one) const noexcept { return (bits_ & bit(one)) != 0; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  constexpr bool operator==(const scope_set&) const noexcept = default;

  /// In the order of `scope`.
  std::vector<std::string_view> names() const;

  static scope_set all() noexcept;

private:
  static constexpr std::uint16_t bit(scope one) noexcept {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(one));
  }

  std::uint16_t bits_ = 0;
};

/// The scopes of viewer, operator, controller, metrics, sub-agent, admin and none (which has no scope). Null for any
/// other name.
std::optional<scope_set> find_role(std::string_view name) noexcept;

/// The name of the role that has exactly these scopes, or "".
std::string_view role_of(scope_set scopes) noexcept;

} // namespace mistify::actors
