#pragma once

#include <cstddef>

namespace mistify::rpc {

/// Makes that many threads at once, maps that many bytes beside them, and gives all of it back before it returns. A
/// daemon asks for what its start needs before it starts anything: threads that fail one by one in the middle of it
/// would leave the others behind. Throws `failure{unavailable}` with one clear line.
void require_resources(std::size_t threads, std::size_t bytes);

/// From here on an exception that nobody catches, in any thread, is one line on stderr and exit status 1 instead of an
/// abort. For the start, where lack of memory or threads is the host's state and no fault of the program.
class quiet_end {
public:
  explicit quiet_end(const char* program) noexcept;
  ~quiet_end(); ///< as before it
  quiet_end(const quiet_end&) = delete;
  quiet_end& operator=(const quiet_end&) = delete;

private:
  void (*before_)();
};

} // namespace mistify::rpc
