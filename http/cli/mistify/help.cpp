#include "http/cli/mistify/help.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace mistify::cli {

namespace {

/// Lines of two columns; the second one is where the longest first one allows.
std::string two_columns(const std::vector<std::pair<std::string, std::string>>& lines) {
  std::size_t width = 0;
  for (const auto& [left, right] : lines)
    width = std::max(width, left.size());
  std::string text;
  for (const auto& [left, right] : lines)
    text.append("  ").append(left).append(width - left.size() + 2, ' ').append(right).append("\n");
  return text;
}

std::string options_text(const std::vector<option>& all) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& one : all) {
    std::string names{one.names};
    if (const auto comma = names.find(','); comma != names.npos)
      names.replace(comma, 1, ", ");
    lines.emplace_back(names + (one.value.empty() ? "" : " ") + std::string{one.value}, one.help);
  }
  return two_columns(lines);
}

constexpr std::string_view environment =
  "\nEnvironment; an option beats it:\n"
  "  MISTIFY_HOST MISTIFY_TOKEN MISTIFY_CACERT MISTIFY_CERT MISTIFY_KEY NO_COLOR\n"
  "  MISTIFY_CLUSTER MISTIFY_CLUSTER_USER MISTIFY_CLUSTER_PASSWORD\n"
  "\nExit status: 0 done or accepted, 1 the job failed, 2 usage, 3 not there, 4 refused, 5 no answer\n";

} // namespace

std::string help_of_all(std::string_view group) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& one : commands())
    if (group.empty() || (one.path.starts_with(group) && one.path.substr(group.size()).starts_with(' ')))
      lines.emplace_back(one.path, one.help);
  return "usage: mistify [OPTION…] COMMAND …\n\nThe command line of the Mistify Agent.\n\nCommands:\n" +
         two_columns(lines) + "\nOptions of every command:\n" + options_text(global_options()) +
         std::string{environment} + "\n`mistify COMMAND --help` says more about one. mistify(1) has examples.\n";
}

std::string help_of(const command& of) {
  std::string usage = "usage: mistify " + std::string{of.path};
  for (const auto& one : of.takes) {
    const std::string name = std::string{one.name} + (one.repeats ? "…" : "");
    usage.append(" ").append(one.required ? name : "[" + name + "]");
  }
  const auto own = options_of(of);
  std::string help{of.help};
  help.front() = static_cast<char>(help.front() - 'a' + 'A');
  return usage + (own.empty() ? "" : " [OPTION…]") + "\n\n" + help + ".\n" +
         (own.empty() ? "" : "\nOptions:\n" + options_text(own)) + "\nOptions of every command:\n" +
         options_text(global_options()) + std::string{environment};
}

} // namespace mistify::cli
