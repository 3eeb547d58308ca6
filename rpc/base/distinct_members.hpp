#pragma once

#include "rpc/base/json.hpp"

namespace mistify::rpc::json {

/// Throws `failure{invalid_request}` with the name of a member that an object of `value`, at any level, has twice: for
/// texts in which an earlier member may be meant to restrict what a later one says.
void expect_distinct_members(const node& value);

} // namespace mistify::rpc::json
