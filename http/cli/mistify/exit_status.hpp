#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace mistify::cli {

/// Exit statuses, as the man page documents them.
enum class status : std::uint8_t {
  done = 0,
  failed = 1,    ///< a job ended in `Error`, or output failed
  usage = 2,     ///< the command line, or a name that fits several
  absent = 3,    ///< the named thing is not there
  refused = 4,   ///< by the agent
  no_answer = 5, ///< no connection, no answer in time, TLS not verified, no agent's answer
  interrupted = 130,
};

constexpr int code(status s) noexcept {
  return static_cast<int>(s);
}

/// Ends the command: what is wrong in one line, and what to do next in another.
class give_up : public std::runtime_error {
public:
  give_up(status with, const std::string& why, std::string next = {})
    : std::runtime_error{why}, status_{with}, next_{std::move(next)} {}
  status with() const noexcept { return status_; }
  const std::string& next() const noexcept { return next_; }

private:
  status status_;
  std::string next_;
};

} // namespace mistify::cli
