#pragma once

#include <chrono>
#include <string>
#include <sys/types.h>
#include <vector>

namespace mistify::bench {

/// A program that runs beside the benchmark, with its output in a file. It ends with this object, and also if the
/// benchmark is killed.
class child {
public:
  child(const std::vector<std::string>& words, const std::string& output_file);
  ~child(); ///< SIGKILL
  child(child&& other) noexcept;
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  pid_t id() const noexcept { return id_; }
  bool running();
  void kill(); ///< sends SIGKILL and waits for the end

  /// Waits for the end. Throws if it takes longer than `limit` or the program fails.
  void finish(std::chrono::milliseconds limit);

private:
  pid_t id_ = -1;
  int status_ = 0;
};

} // namespace mistify::bench
