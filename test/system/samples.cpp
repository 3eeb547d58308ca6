#include "samples.hpp"

#include <sstream>

namespace mistify::test {

namespace {

std::vector<std::string> lines_with(std::string_view page, std::string_view begin) {
  std::vector<std::string> found;
  std::istringstream lines{std::string{page}};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(begin))
      found.push_back(line);
  return found;
}

} // namespace

double sample(std::string_view page, const std::string& name) {
  const auto found = lines_with(page, name + ' ');
  return found.size() == 1 ? std::stod(found.front().substr(name.size())) : -1;
}

std::vector<std::string> samples_of(std::string_view page, std::string_view name) {
  return lines_with(page, std::string{name} + '{');
}

} // namespace mistify::test
