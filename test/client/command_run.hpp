#pragma once

#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace mistify::test {

/// What a program left behind.
struct ran {
  int code = -1; ///< 128 + the signal where one ended it
  std::string out, err;
};

using environment = std::map<std::string, std::string>;

/// Runs mistify until it ends, without a terminal.
ran run_command(const std::vector<std::string>& arguments, const environment& more = {}, const std::string& input = "");

/// A program on a pseudo-terminal of 24 lines.
class terminal {
public:
  terminal(const std::vector<std::string>& words, const environment& more = {}, unsigned columns = 80);
  ~terminal();
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;

  /// Reads until the text has come; returns false after a while, or at the end.
  bool shows(const std::string& text);
  void type(const std::string& keys) const;
  /// Reads to the end; returns the exit code.
  int ends();
  /// Everything that came.
  const std::string& text() const noexcept { return text_; }

private:
  bool read_some(int milliseconds);
  pid_t id_ = -1;
  int fd_ = -1;
  std::string text_;
};

} // namespace mistify::test
