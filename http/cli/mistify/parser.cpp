#include "http/cli/mistify/parser.hpp"

#include "http/cli/mistify/exit_status.hpp"
#include "rpc/base/cut_text.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <map>
#include <memory>

namespace mistify::cli {

namespace {

bool names(const option& one, std::string_view word) {
  for (auto rest = one.names; !rest.empty();) {
    const auto end = rest.find(',');
    if (rest.substr(0, end) == word)
      return true;
    rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
  }
  return false;
}

/// The global option that a word begins: "--host", "--host=URL" or "-HURL".
const option* global_option(std::string_view word, bool& has_value) {
  const auto end = word.starts_with("--") ? word.find('=') : std::min<std::size_t>(word.size(), 2);
  has_value = end != word.npos && end < word.size();
  const auto found =
    std::ranges::find_if(global_options(), [&](const option& o) { return names(o, word.substr(0, end)); });
  return found == global_options().end() ? nullptr : &*found;
}

bool asks_for_help(const std::vector<std::string>& words) {
  for (const auto& word : words) {
    if (word == "--")
      return false;
    if (word == "-h" || word == "--help")
      return true;
  }
  return false;
}

/// Where CLI11 puts what it reads.
struct storage {
  std::map<std::string, std::vector<std::string>, std::less<>> texts;
  std::map<std::string, bool, std::less<>> flags;
};

void add_options(CLI::App& app, const std::vector<option>& all, storage& to) {
  for (const auto& one : all) {
    const std::string names{one.names}, name{one.name()};
    if (one.value.empty())
      app.add_flag(names, to.flags[name]);
    else
      app
        .add_option(names, to.texts[name]) // one value for each occurrence; `check` counts them
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

void add_arguments(CLI::App& app, const std::vector<argument>& all, storage& to) {
  for (const auto& one : all) {
    const std::string name{one.name};
    auto* made = app.add_option(name, to.texts[name])->required(one.required);
    if (!one.repeats)
      made->type_size(1)->expected(1)->allow_extra_args(false);
  }
}

/// "A, B or C"
std::string choice_of(const std::vector<std::string>& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i)
    text.append(i == 0 ? "" : i + 1 < values.size() ? ", " : " or ").append(values[i]);
  return text;
}

void check_value(const std::string& name, word what, const storage& read) {
  const auto& allowed = fixed_values(what);
  const auto given = read.texts.find(name);
  if (allowed.empty() || given == read.texts.end())
    return;
  for (const auto& value : given->second)
    if (std::ranges::find(allowed, value) == allowed.end())
      throw give_up{status::usage, name + ": must be " + choice_of(allowed)};
}

void check(const command_line& line, const storage& read) {
  auto all = options_of(*line.of);
  all.insert(all.end(), global_options().begin(), global_options().end());
  for (const auto& one : all)
    if (const auto found = read.texts.find(one.name());
        found != read.texts.end() && !one.repeats && found->second.size() > 1)
      throw give_up{status::usage, std::string{one.name()} + ": is given more than once"};
  for (const auto& [name, values] : read.texts)
    for (const auto& value : values)
      // An empty one is the variable of a script that is not set.
      if (value.empty() && name != "--label" && name != "--metadata")
        throw give_up{status::usage, name + ": must not be empty"};
  for (const auto& one : all)
    check_value(std::string{one.name()}, one.what, read);
  for (const auto& one : line.of->takes)
    check_value(std::string{one.name}, one.what, read);
}

} // namespace

command_line split(const std::vector<std::string>& words) {
  command_line line;
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with('-')) {
    bool has_value = false;
    const auto* known = global_option(words[at], has_value);
    if (!known)
      throw give_up{status::usage,
                    "there is no option " + words[at].substr(0, words[at].find('=')) + " before the command",
                    "mistify --help names all"};
    line.help = line.help || known->name() == "--help";
    const std::size_t takes = !known->value.empty() && !has_value ? 2 : 1;
    for (std::size_t i = 0; i < takes && at < words.size(); ++i)
      line.before.push_back(words[at++]);
  }
  const std::vector<std::string> rest{words.begin() + static_cast<std::ptrdiff_t>(at), words.end()};
  std::size_t used = 0;
  line.of = find_command(rest, used);
  line.group = rest.empty() ? "" : rest.front();
  line.help = line.help || asks_for_help(rest);
  if (line.of)
    line.words.assign(rest.begin() + static_cast<std::ptrdiff_t>(used), rest.end());
  return line;
}

arguments parse(const command_line& line) {
  CLI::App app;
  app.set_help_flag();
  storage read;
  add_options(app, options_of(*line.of), read);
  add_options(app, global_options(), read);
  add_arguments(app, line.of->takes, read);
  auto words = line.before;
  words.insert(words.end(), line.words.begin(), line.words.end());
  std::ranges::reverse(words); // as CLI11 takes them
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& e) {
    throw give_up{status::usage, e.what(), "mistify " + std::string{line.of->path} + " --help names all"};
  }
  check(line, read);
  arguments made;
  for (auto& [name, values] : read.texts)
    if (!values.empty())
      made.values.emplace(name, std::move(values));
  for (const auto& [name, given] : read.flags)
    if (given)
      made.values[name] = {};
  return made;
}

} // namespace mistify::cli
