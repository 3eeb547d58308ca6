#include "rpc/base/service_manager.hpp"

#include "rpc/base/unique_fd.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace mistify::rpc::service_manager {

namespace {

constexpr int first_socket = 3; // SD_LISTEN_FDS_START

/// How long a service manager that reads nothing may hold this process up.
constexpr timeval patience{2, 0};

std::string_view variable(const char* name) noexcept {
  const auto* value = std::getenv(name);
  return value ? value : std::string_view{};
}

std::optional<std::uint64_t> number_in(const char* name) noexcept {
  const auto text = variable(name);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional{value} : std::nullopt;
}

/// False if the variables are meant for the process that started this one.
bool is_this_process(const char* name) noexcept {
  return number_in(name) == static_cast<std::uint64_t>(::getpid());
}

/// Null if the address is no unix socket's that fits.
std::optional<std::pair<sockaddr_un, socklen_t>> address_of(std::string_view path) noexcept {
  sockaddr_un address{};
  if (path.size() < 2 || path.size() > sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
    return std::nullopt;
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  if (path[0] == '@')
    address.sun_path[0] = '\0'; // in the abstract namespace
  return std::pair{address, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size())};
}

} // namespace

std::vector<inherited_socket> inherited_sockets() {
  std::vector<inherited_socket> sockets;
  if (!is_this_process("LISTEN_PID"))
    return sockets;
  constexpr std::uint64_t most = 1024; // what is more is no number of sockets
  const auto count = std::min(number_in("LISTEN_FDS").value_or(0), most);
  auto names = variable("LISTEN_FDNAMES");
  const bool named = std::getenv("LISTEN_FDNAMES") != nullptr;
  for (int fd = first_socket; fd < first_socket + static_cast<int>(count); ++fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    const auto colon = std::min(names.find(':'), names.size());
    sockets.push_back({fd, named ? std::string{names.substr(0, colon)} : "unknown"});
    names.remove_prefix(std::min(colon + 1, names.size()));
  }
  return sockets;
}

std::vector<inherited_socket> take_inherited_sockets() {
  auto sockets = inherited_sockets();
  for (const auto* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
    ::unsetenv(name);
  return sockets;
}

void notify(const std::string& assignments) noexcept {
  const auto to = address_of(variable("NOTIFY_SOCKET"));
  if (!to)
    return;
  const unique_fd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket)
    return;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::sendto(socket.get(), assignments.data(), assignments.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&to->first), to->second);
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  const auto interval = number_in("WATCHDOG_USEC");
  if (!interval || *interval == 0 || (std::getenv("WATCHDOG_PID") && !is_this_process("WATCHDOG_PID")))
    return std::nullopt;
  return std::chrono::microseconds{*interval};
}

} // namespace mistify::rpc::service_manager
