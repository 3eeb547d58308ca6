#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mistify::rpc {

/// Prepares the process (`prepare_process`) and parses its command line: `--help`, `--version` and the added options.
/// Wraps CLI11, whose headers take twenty seconds to compile and so are included in one file only.
class command_line {
public:
  command_line(const std::string& program, const std::string& description);
  ~command_line();
  command_line(const command_line&) = delete;
  command_line& operator=(const command_line&) = delete;

  /// `may_be_empty`: an empty value means something. Else it is an error for options of every type: a script's variable
  /// was not set, and the default is not what was meant.
  enum class need : std::uint8_t { optional, required, may_be_empty };
  /// `names` is like "-p,--port". The current content of `value` is the default. Values must live until `parse`
  /// returns.
  void option(const std::string& names, std::string& value, const std::string& help, need n = need::optional);
  void option(const std::string& names, std::uint16_t& value, const std::string& help);
  /// Sets `value` to true if given; takes no argument.
  void flag(const std::string& names, bool& value, const std::string& help);
  /// May be given several times.
  void option(const std::string& names, std::vector<std::string>& values, const std::string& help);
  /// A number up to `most`.
  void option(const std::string& names, unsigned& value, const std::string& help, unsigned most);
  /// Giving both is an error. Each is named as "--port".
  void exclude(const std::string& one, const std::string& other);

  /// Returns the exit code if the program is to exit: help was printed, or an error was written to stderr. Null
  /// otherwise.
  std::optional<int> parse(int argc, char** argv);

private:
  struct parser;
  std::unique_ptr<parser> parser_;
};

} // namespace mistify::rpc
