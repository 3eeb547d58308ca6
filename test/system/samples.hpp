#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mistify::test {

/// Returns the value of a sample on a page in the text format of Prometheus, by its exact name and labels; -1 if it is
/// missing.
double sample(std::string_view page, const std::string& name);

/// Returns the samples of that name, with any labels.
std::vector<std::string> samples_of(std::string_view page, std::string_view name);

} // namespace mistify::test
