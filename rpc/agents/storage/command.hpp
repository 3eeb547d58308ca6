#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents::storage {

/// A program ended badly; `what()` is what it wrote to stderr, or how it ended.
class command_failed : public std::runtime_error {
public:
  explicit command_failed(const std::string& what, int status = -1) : std::runtime_error{what}, status_{status} {}

  /// Its exit status, 128 + the signal that ended it, or -1 if it did not come to an end of its own.
  int status() const noexcept { return status_; }

private:
  int status_;
};

/// What the kernel lets a program have; 0: as much as this process.
struct resource_limits {
  std::uint64_t memory = 0; ///< bytes of address space
  std::uint64_t file = 0;   ///< bytes that a file may become long
  std::uint64_t cpu = 0;    ///< seconds
  std::uint64_t open_files = 0;
};

/// What bounds a command.
struct command_limits {
  std::chrono::milliseconds time{60'000};
  std::size_t output = 16 * 1024 * 1024; ///< bytes of stdout that `run` collects
  std::string input = "/dev/null";       ///< the file that is its stdin
  /// Asked several times a second; true ends the command. Empty: nobody asks.
  std::function<bool()> stop = {};
  resource_limits resources = {};
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
