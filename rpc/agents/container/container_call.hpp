#pragma once

#include "rpc/model/messages.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace mistify::agents::container {

/// Params of a guest action, with what the agent adds to a stage that may be repeated.
struct container_call {
  rpc::guest guest;
  std::string action; ///< as in the agent's config: "containerShutdown"
  rpc::metadata_map args;
  std::optional<std::uint64_t> wait; ///< seconds that the agent repeats the stage for; from `params`, else from `args`
  bool again = false;                ///< a repetition: look, send nothing
};

/// Throws `failure{invalid_request}` that names the field.
void decode(const rpc::json::node& from, container_call& to);

/// Throws std::invalid_argument: `missing guest with id` for an empty one, else unless it is a UUID, which is harmless in
/// paths and names.
void expect_guest_id(const std::string& id);

/// True for what `expect_guest_id` accepts.
bool is_guest_id(const std::string& id) noexcept;

} // namespace mistify::agents::container
