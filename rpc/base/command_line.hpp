#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mistify::rpc {

/// The command line of a program, and its beginning (`prepare_process`): `--help` and `--version` by itself, and the
/// options that it is told of. A front to CLI11, which takes a compiler twenty seconds and so is included in one place
/// only.
class command_line {
public:
  command_line(const std::string& program, const std::string& description);
  ~command_line();
  command_line(const command_line&) = delete;
  command_line& operator=(const command_line&) = delete;

  enum class need : std::uint8_t { optional, required };
  /// `names` as "-p,--port". What `value` holds already is the default. Values live until `parse` is through.
  void option(const std::string& names, std::string& value, const std::string& help, need n = need::optional);
  void option(const std::string& names, std::uint16_t& value, const std::string& help);
  /// True where it is given; it takes no value.
  void flag(const std::string& names, bool& value, const std::string& help);
  /// May be given several times.
  void option(const std::string& names, std::vector<std::string>& values, const std::string& help);
  /// Up to `most`.
  void option(const std::string& names, unsigned& value, const std::string& help, unsigned most);

  /// The exit code where nothing is left to do: help was asked for and printed, or what is wrong was told to stderr.
  std::optional<int> parse(int argc, char** argv);

private:
  struct parser;
  std::unique_ptr<parser> parser_;
};

} // namespace mistify::rpc
