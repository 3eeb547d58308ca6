#include "rpc/net/unix_socket.hpp"

#include "rpc/base/error.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace mistify::rpc {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw failure{errc::unavailable, "cannot listen on " + path + ": " + why};
}

std::string text_of(int error) {
  return std::generic_category().message(error);
}

[[noreturn]] void refuse(const std::string& path, int error) {
  refuse(path, text_of(error));
}

/// The number where the group has no name, or a very long entry.
std::string name_of(gid_t number) {
  std::array<char, 16 * 1024> text{};
  ::group entry{};
  ::group* found = nullptr;
  ::getgrgid_r(number, &entry, text.data(), text.size(), &found);
  return found ? std::string{found->gr_name} : std::to_string(number);
}

/// Returns why that cannot be, empty where it is so. Only root gives files to groups that it is no member of.
std::string give_to(const std::string& path, std::optional<gid_t> group, mode_t mode) {
  if (group && ::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    const int error = errno;
    return "it cannot be given to the group " + name_of(*group) + ": " + text_of(error);
  }
  return ::chmod(path.c_str(), mode) == 0 ? std::string{} : text_of(errno);
}

/// Null if the path is too long for one.
std::optional<sockaddr_un> address_of(const std::string& path) noexcept {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof at.sun_path)
    return std::nullopt;
  path.copy(at.sun_path, path.size());
  return at;
}

const sockaddr* plain(const sockaddr_un& at) noexcept {
  return reinterpret_cast<const sockaddr*>(&at);
}

unique_fd new_socket() {
  return unique_fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

void remove_dead_socket(const std::string& path, const sockaddr_un& at) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0)
    return;
  if (!S_ISSOCK(status.st_mode))
    refuse(path, "there is a file that is no socket");
  const auto probe = new_socket();
  if (!probe || ::connect(probe.get(), plain(at), sizeof at) == 0 || errno != ECONNREFUSED)
    refuse(path, "another process listens there");
  ::unlink(path.c_str());
}

} // namespace

connect_result unix_connect(const std::string& path, deadline until, const cancellation& cancel) {
  const auto at = address_of(path);
  if (!at)
    return {{}, ENAMETOOLONG};
  auto fd = new_socket();
  if (!fd)
    return {{}, errno};
  // A unix socket connects at once, or its backlog is full.
  while (::connect(fd.get(), plain(*at), sizeof *at) != 0) {
    if (errno != EAGAIN && errno != EINTR)
      return {{}, errno};
    if (cancel.cancelled())
      return {{}, ECANCELED};
    if (std::chrono::steady_clock::now() >= until)
      return {{}, ETIMEDOUT};
    ::poll(nullptr, 0, 5);
  }
  return {std::move(fd), 0};
}

void make_socket_folder(const std::string& path, std::optional<gid_t> group) {
  const auto folder = std::filesystem::path{path}.parent_path().string();
  std::error_code error;
  if (folder.empty() || std::filesystem::exists(folder, error))
    return;
  if (::mkdir(folder.c_str(), 0700) != 0)
    refuse(folder, errno);
  if (const auto why = give_to(folder, group, 0750); !why.empty()) {
    ::rmdir(folder.c_str());
    refuse(folder, why);
  }
}

unique_fd unix_listen(const std::string& path, mode_t mode, std::optional<gid_t> group) {
  const auto at = address_of(path);
  if (!at)
    refuse(path, ENAMETOOLONG);
  remove_dead_socket(path, *at);
  auto fd = new_socket();
  // Until its mode is set, the umask of the program leaves the socket to its own user.
  if (!fd || ::bind(fd.get(), plain(*at), sizeof *at) != 0)
    refuse(path, errno);
  auto why = give_to(path, group, mode);
  if (why.empty() && ::listen(fd.get(), 1024) != 0)
    why = text_of(errno);
  if (!why.empty()) {
    ::unlink(path.c_str());
    refuse(path, why);
  }
  return fd;
}

std::optional<ucred> peer_credentials(int fd) noexcept {
  int family = 0;
  socklen_t size = sizeof family;
  if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || family != AF_UNIX)
    return std::nullopt;
  ucred who{};
  size = sizeof who;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return std::nullopt;
  return who;
}

std::optional<uid_t> peer_user(int fd) noexcept {
  const auto who = peer_credentials(fd);
  return who ? std::optional{who->uid} : std::nullopt;
}

} // namespace mistify::rpc
