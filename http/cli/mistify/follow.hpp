#pragma once

#include "http/cli/mistify/context.hpp"

#include <string>
#include <vector>

namespace mistify::cli {

/// `jobs -f`: the jobs as they are, oldest first, then a line for each change, without gap or repetition, also over a
/// restart of the agent. `guest`: an id, or "" for all.
int follow_jobs(context& cx, const std::string& guest, const std::vector<std::string>& columns);

} // namespace mistify::cli
