#include "http/cli/mistify/files.hpp"

#include "http/cli/mistify/exit_status.hpp"
#include "rpc/base/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace mistify::cli {

namespace {

[[noreturn]] void cannot_read(const std::string& path) {
  throw give_up{status::usage, path + ": " + std::generic_category().message(errno)};
}

} // namespace

std::string read_small_file(const std::string& path, std::size_t most) {
  const bool standard = path == "-";
  const rpc::unique_fd opened{standard ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!standard && opened.get() < 0)
    cannot_read(path);
  const int fd = standard ? STDIN_FILENO : opened.get();
  std::string text;
  std::array<char, 16'384> piece{};
  for (;;) {
    const auto n = ::read(fd, piece.data(), piece.size());
    if (n == 0)
      return text;
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      cannot_read(path);
    text.append(piece.data(), static_cast<std::size_t>(n));
    if (text.size() > most)
      throw give_up{status::usage, path + ": has more than " + std::to_string(most) + " bytes"};
  }
}

} // namespace mistify::cli
