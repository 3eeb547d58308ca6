#include "raw_client.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace mistify::test {

raw_client::raw_client(std::uint16_t port, int receive_buffer) : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  if (receive_buffer > 0)
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  timeval five{5, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &five, sizeof five);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &five, sizeof five);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    close(); // no destructor comes after a constructor that throws
    throw std::runtime_error{"cannot connect"};
  }
}

raw_client::~raw_client() {
  close();
}

void raw_client::close() {
  if (fd_ >= 0)
    ::close(fd_);
  fd_ = -1;
}

void raw_client::send_no_more() {
  ::shutdown(fd_, SHUT_WR);
}

bool raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = put(bytes.data(), bytes.size());
    if (n <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

ssize_t raw_client::put(const char* bytes, std::size_t size) {
  return ::send(fd_, bytes, size, MSG_NOSIGNAL);
}

ssize_t raw_client::fetch(char* bytes, std::size_t size) {
  return ::recv(fd_, bytes, size, 0);
}

bool raw_client::more() {
  std::array<char, 16384> bytes;
  auto n = fetch(bytes.data(), bytes.size());
  if (n > 0)
    in_.append(bytes.data(), static_cast<std::size_t>(n));
  reset_ |= n < 0 && errno == ECONNRESET;
  return n > 0;
}

bool raw_client::take_line(std::string& line) {
  std::size_t end;
  while ((end = in_.find("\r\n")) == in_.npos)
    if (!more())
      return false;
  line = in_.substr(0, end);
  in_.erase(0, end + 2);
  return true;
}

bool raw_client::take(std::size_t n, std::string& to) {
  while (in_.size() < n)
    if (!more())
      return false;
  to += in_.substr(0, n);
  in_.erase(0, n);
  return true;
}

raw_answer raw_client::answer(bool to_head) {
  raw_answer a;
  std::string line;
  if (!take_line(line) || line.size() < 12)
    return a;
  a.status = std::stoi(line.substr(9, 3));
  while (take_line(line) && !line.empty()) {
    auto colon = line.find(": ");
    for (auto& c : line)
      if (&c < line.data() + colon)
        c = static_cast<char>(std::tolower(c));
    a.headers[line.substr(0, colon)] = line.substr(colon + 2);
  }
  if (to_head || a.status == 100) {
    a.whole = true;
  } else if (a.headers.contains("transfer-encoding")) {
    while (take_line(line)) {
      auto size = std::stoul(line, nullptr, 16);
      std::string end;
      if (!take(size, a.body) || !take(2, end))
        break;
      if ((a.whole = size == 0))
        break;
    }
  } else if (a.headers.contains("content-length")) {
    a.whole = take(std::stoul(a.headers["content-length"]), a.body);
  } else {
    a.body = rest();
    a.whole = true;
  }
  return a;
}

raw_answer raw_client::get(const std::string& target, const std::string& more_headers) {
  send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more_headers + "\r\n");
  return answer();
}

bool raw_client::closed() {
  if (!in_.empty())
    return false;
  char c;
  auto n = fetch(&c, 1);
  return n == 0 || (n < 0 && errno == ECONNRESET);
}

bool raw_client::silent_for(std::chrono::milliseconds time) {
  pollfd p{fd_, POLLIN, 0};
  return in_.empty() && ::poll(&p, 1, static_cast<int>(time.count())) == 0;
}

std::string raw_client::receive(std::size_t n) {
  if (in_.empty())
    more();
  auto out = in_.substr(0, n);
  in_.erase(0, n);
  return out;
}

std::string raw_client::rest(bool* reset) {
  while (more()) {
  }
  if (reset)
    *reset = reset_;
  return std::exchange(in_, {});
}

} // namespace mistify::test
