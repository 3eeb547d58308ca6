#include "rpc/base/command_line.hpp"

#include "rpc/base/last_words.hpp"
#include "rpc/base/process.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <utility>

namespace mistify::rpc {

namespace {

std::string judge_value(const std::string& value) {
  return value.empty() ? "must not be empty" : "";
}

/// As CLI11 wants them: the last one first. It would take the next argument for the value of "--name=", so that this
/// becomes "--name" and an empty one.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> all;
  bool options_end = false;
  for (int i = 1; i < argc; ++i) {
    auto argument = std::string{argv[i]};
    options_end = options_end || argument == "--";
    const bool splits = !options_end && argument.starts_with("--") && argument.find('=') == argument.size() - 1;
    if (splits)
      argument.pop_back();
    all.push_back(std::move(argument));
    if (splits)
      all.emplace_back();
  }
  std::ranges::reverse(all);
  return all;
}

} // namespace

struct command_line::parser {
  CLI::App app;
  parser(const std::string& program, const std::string& description) : app{description, program} {}
};

command_line::command_line(const std::string& program, const std::string& description)
  : parser_{std::make_unique<parser>(program, description)} {
  prepare_process(); // every program constructs its command line first
  parser_->app.set_version_flag("--version", program + " " MISTIFY_VERSION);
}

command_line::~command_line() = default;

void command_line::option(const std::string& names, std::string& value, const std::string& help, need n) {
  auto* o = parser_->app.add_option(names, value, help);
  if (n == need::required)
    o->required();
  else if (!value.empty())
    o->capture_default_str();
  if (n != need::may_be_empty)
    o->check(judge_value);
}

void command_line::option(const std::string& names, std::uint16_t& value, const std::string& help) {
  parser_->app.add_option(names, value, help)->check(judge_value)->capture_default_str();
}

void command_line::flag(const std::string& names, bool& value, const std::string& help) {
  parser_->app.add_flag(names, value, help);
}

void command_line::option(const std::string& names, std::vector<std::string>& values, const std::string& help) {
  // One value for each occurrence: otherwise an option would consume the arguments after it.
  parser_->app.add_option(names, values, help)
    ->expected(1)
    ->allow_extra_args(false)
    ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
    ->check(judge_value);
}

void command_line::option(const std::string& names, unsigned& value, const std::string& help, unsigned most) {
  parser_->app.add_option(names, value, help)->check(judge_value)->check(CLI::Range(0U, most))->capture_default_str();
}

void command_line::exclude(const std::string& one, const std::string& other) {
  parser_->app.get_option(one)->excludes(parser_->app.get_option(other));
}

std::optional<int> command_line::parse(int argc, char** argv) {
  try {
    parser_->app.parse(arguments_of(argc, argv));
    return std::nullopt;
  } catch (const CLI::ParseError& e) {
    std::ostringstream why;
    const int code = parser_->app.exit(e, std::cout, why);
    last_words(why.view());
    return code == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  }
}

} // namespace mistify::rpc
