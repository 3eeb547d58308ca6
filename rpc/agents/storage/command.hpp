#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents::storage {

/// A program ended badly; `what()` is what it wrote to stderr, or how it ended.
class command_failed : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// What bounds a command.
struct command_limits {
  std::chrono::milliseconds time{60'000};
  std::size_t output = 16 * 1024 * 1024; ///< bytes of stdout that `run` collects
  std::string input = "/dev/null";       ///< the file that is its stdin
  /// Asked several times a second; true ends the command. Empty: nobody asks.
  std::function<bool()> stop = {};
};

/// For what copies a whole disk.
constexpr std::chrono::hours copying_time{6};

/// Runs a program, found by PATH, with these arguments and no shell; stdin is empty or a file, messages are in English. Returns what
/// it wrote to stdout. Throws `command_failed` when it does not exit with 0, is over a limit or was stopped: then its whole
/// process group is killed. Blocks; any thread may call.
std::string run(const std::vector<std::string>& command, const command_limits& limits = {});

/// The same, with stdout handed on as it comes; `limits.output` does not count, and the time is of one wait for the next
/// bytes. False, with the program killed, when `write` said so.
bool run_streaming(const std::vector<std::string>& command, const std::function<bool(std::string_view)>& write,
                   const command_limits& limits = {});

} // namespace mistify::agents::storage
