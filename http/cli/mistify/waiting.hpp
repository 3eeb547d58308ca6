#pragma once

#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/errors.hpp"
#include "http/client/job_waiter.hpp"

#include <string>
#include <vector>

namespace mistify::cli {

/// A job that was queued, and what people call it: "stop web1".
struct queued_job {
  std::string label, id;
};

/// Waits for the jobs with a bar; those that end in `Error` go to `errors`. `agent`: how long it may be away.
void wait_for_all(context& cx, const std::vector<queued_job>& jobs, error_list& errors,
                  client::patience agent = client::patience{});

/// What a changing command does in the end: with --wait it waits, else it prints the jobs' ids.
void settle(context& cx, const std::vector<queued_job>& jobs, error_list& errors);

} // namespace mistify::cli
