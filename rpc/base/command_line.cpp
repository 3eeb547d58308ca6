#include "rpc/base/command_line.hpp"

#include "rpc/base/process.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>

namespace mistify::rpc {

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
}

void command_line::option(const std::string& names, std::uint16_t& value, const std::string& help) {
  parser_->app.add_option(names, value, help)->capture_default_str();
}

void command_line::flag(const std::string& names, bool& value, const std::string& help) {
  parser_->app.add_flag(names, value, help);
}

void command_line::option(const std::string& names, std::vector<std::string>& values, const std::string& help) {
  // One value for each occurrence: otherwise an option would consume the arguments after it.
  parser_->app.add_option(names, values, help)
    ->expected(1)
    ->allow_extra_args(false)
    ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void command_line::option(const std::string& names, unsigned& value, const std::string& help, unsigned most) {
  parser_->app.add_option(names, value, help)->check(CLI::Range(0U, most))->capture_default_str();
}

std::optional<int> command_line::parse(int argc, char** argv) {
  try {
    parser_->app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& e) {
    return parser_->app.exit(e) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  }
}

} // namespace mistify::rpc
