#pragma once

#include "rpc/model/model.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The columns of the table `jobs` that hold JSON. Texts that cannot be read count as empty: a broken row must not hide
/// the others.
namespace mistify::store {

/// `[count, [service, method, started, ended, outcome], …]`, times in nanoseconds since the epoch; empty if no stage
/// began.
std::string stages_column(const rpc::job& of);
void read_stages_column(std::string_view column, rpc::job& to);

/// `[done, total, unit]`, numbers or null; empty if nothing is known.
std::string progress_column(const std::optional<rpc::job_progress>& progress);
std::optional<rpc::job_progress> read_progress_column(std::string_view column);

} // namespace mistify::store
