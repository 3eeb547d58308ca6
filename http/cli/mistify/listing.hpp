#pragma once

#include "http/cli/mistify/output.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What commands that list or show print.
namespace mistify::cli {

/// Prints a list as `render` makes it. Names on standard error the columns that no row has, and the members that there
/// are; `kind` is what a row is: "guest". Throws as `print`.
void print_rows(std::string_view kind, const rows& all, const layout& how);

/// The same of one object, as `render_one` makes it.
void print_object(std::string_view kind, const rpc::json::node& object, const layout& how);

/// The columns of -o and --sort that no row has, each once. Without rows, and of usual columns, nothing is known.
std::vector<std::string> unknown_columns(const rows& all, const layout& how);

} // namespace mistify::cli
