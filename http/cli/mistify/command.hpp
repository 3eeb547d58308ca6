#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The command line as data: parser, help and completion are made from one table.
namespace mistify::cli {

struct context;

/// What a word stands for; completion offers its values.
enum class word : std::uint8_t {
  text,
  guest,
  domain,
  job,
  image,
  snapshot,
  token,
  file,
  format,
  role,
  shell,
  status,
  then,
  apply,
  on_off,
  host,
  etcd_api
};

/// An option of a command. `value` is what help calls its value; "" of a flag.
struct option {
  std::string_view names; ///< "-f,--file"; the last one is its name in `arguments`
  std::string_view value, help;
  word what = word::text;
  bool repeats = false;

  std::string_view name() const { return names.substr(names.rfind(',') + 1); }
};

/// A positional argument.
struct argument {
  std::string_view name;
  word what = word::text;
  bool required = true, repeats = false;
};

/// What a command line says, by name of the option or argument.
struct arguments {
  std::map<std::string, std::vector<std::string>, std::less<>> values;

  bool has(std::string_view name) const { return values.contains(name); }
  /// The last value; "" where it is not given.
  const std::string& text(std::string_view name) const;
  const std::vector<std::string>& list(std::string_view name) const;
};

/// A command. Returns the exit status.
struct command {
  std::string_view path; ///< "list", "snapshots create"
  std::string_view help;
  std::vector<argument> takes;
  std::vector<option> options;
  int (*run)(context&) = nullptr;
  bool lists = false;   ///< has --as, -o and --sort
  bool changes = false; ///< has --wait
};

/// The only values that such a word may have; none where it is free.
const std::vector<std::string>& fixed_values(word what);

/// All commands, in the order of the help.
const std::vector<command>& commands();

/// Options of every command.
const std::vector<option>& global_options();

/// The options of a command, without the global ones.
std::vector<option> options_of(const command& of);

/// The command that the words begin with, and how many of them are its path; null where there is none. A group alone
/// ("images") is its command "list", or "show".
const command* find_command(const std::vector<std::string>& words, std::size_t& used);

} // namespace mistify::cli
