#pragma once

#include "rpc/base/json.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace mistify::rpc {

/// Applies a JSON Merge Patch (RFC 7396) and returns the compact result. Of repeated members the last one counts.
/// `takes`: of the patch's own members, those for which it returns false are left out; null: all are applied.
std::string merge_patch(const json::node& target, const json::node& patch,
                        const std::function<bool(std::string_view)>& takes = nullptr);

} // namespace mistify::rpc
