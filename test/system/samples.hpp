#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mistify::test {

/// The value of a sample of a page in the text format of Prometheus, by its name and labels as they stand there; -1
/// where it is missing.
double sample(std::string_view page, const std::string& name);

/// The lines of the page that are samples of that name, whatever their labels.
std::vector<std::string> samples_of(std::string_view page, std::string_view name);

} // namespace mistify::test
