#include "log_lines.hpp"

#include "json_path.hpp"

#include <algorithm>
#include <sstream>

namespace mistify::test {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line) && !in.eof();) // a line without its end is still being written
    lines.push_back(line);
  return lines;
}

std::vector<std::string> log_lines(const daemon& agent, const log_fields& with) {
  auto lines = lines_of(agent.log());
  std::erase_if(lines, [&](const std::string& line) {
    return !std::all_of(with.begin(), with.end(), [&](const auto& field) {
      return at(line, field.first) != "(absent)" && text_at(line, field.first) == field.second;
    });
  });
  return lines;
}

} // namespace mistify::test
