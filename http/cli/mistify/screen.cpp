#include "http/cli/mistify/screen.hpp"

#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/text.hpp"
#include "rpc/base/process.hpp"
#include "rpc/base/unique_fd.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <system_error>
#include <unistd.h>

namespace mistify::cli {

namespace {

[[noreturn]] void output_failed() {
  throw give_up{status::failed, "the output cannot be written: " + std::generic_category().message(errno)};
}

winsize size_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    size.ws_col = 80;
  if (size.ws_row == 0)
    size.ws_row = 24;
  return size;
}

} // namespace

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    output_failed();
}

void print_line(std::string_view text) {
  print(escape(text) + '\n');
}

void flush_output() {
  if (std::fflush(stdout) != 0)
    output_failed();
}

void print_error(std::string_view line) {
  const auto text = escape(line) + '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void keep_closed_output() noexcept {
  if (!rpc::output_began_closed())
    return;
  // Something has to have the descriptor, or the next socket gets its number and what is printed.
  const rpc::unique_fd unwritable{::open("/", O_RDONLY | O_CLOEXEC)};
  ::dup2(unwritable.get(), STDOUT_FILENO);
}

bool output_is_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

bool error_is_terminal() {
  return ::isatty(STDERR_FILENO) == 1;
}

bool has_colours() {
  const auto* no = std::getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): nothing sets it
  const auto* term = std::getenv("TERM");   // NOLINT(concurrency-mt-unsafe)
  return output_is_terminal() && !(no && *no) && term && *term && std::string_view{term} != "dumb";
}

std::size_t columns_of_error() {
  return size_of(STDERR_FILENO).ws_col;
}
std::size_t lines_of_output() {
  return size_of(STDOUT_FILENO).ws_row;
}
std::size_t columns_of_output() {
  return size_of(STDOUT_FILENO).ws_col;
}

} // namespace mistify::cli
