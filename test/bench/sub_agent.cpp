// A sub-agent that costs next to nothing, so that the figures are the agent's: it looks for what it needs in the request
// instead of parsing it. A thread for each connection.
//   Test.CpuMetrics         fixed figures
//   Test.Hang               no answer, ever
//   any other method        the guest that was sent
//   POST /download/BYTES    so many bytes
//
// Usage: bench_sub_agent PORT

#include "arguments.hpp"
#include "test/system/sockets.hpp"

#include <arpa/inet.h>
#include <iostream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <thread>

namespace {

using mistify::test::send_all;

/// Reads requests off one connection; what came too much belongs to the next one.
class requests {
public:
  explicit requests(int fd) : fd_{fd} {}

  /// False at the end of the connection. `head` and `body` live until the next call.
  bool next(std::string_view& head, std::string_view& body) {
    bytes_.erase(0, used_);
    used_ = 0;
    std::size_t end = 0;
    while ((end = bytes_.find("\r\n\r\n")) == std::string::npos)
      if (!more())
        return false;
    const auto size = content_length(std::string_view{bytes_}.substr(0, end));
    while (bytes_.size() < end + 4 + size)
      if (!more())
        return false;
    head = std::string_view{bytes_}.substr(0, end);
    body = std::string_view{bytes_}.substr(end + 4, size);
    used_ = end + 4 + size;
    return true;
  }

private:
  bool more() {
    char buffer[16 * 1024];
    const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0)
      bytes_.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  }

  static std::size_t content_length(std::string_view head) {
    constexpr std::string_view name = "content-length:";
    for (std::size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at + 1))
      if (::strncasecmp(head.data() + at + 1, name.data(), name.size()) == 0)
        return std::stoul(std::string{head.substr(at + 1 + name.size(), 20)});
    return 0;
  }

  int fd_;
  std::string bytes_;
  std::size_t used_ = 0;
};

/// The JSON object that begins at `from`, whatever is in it.
std::string_view object_at(std::string_view text, std::size_t from) {
  int depth = 0;
  bool in_string = false;
  for (auto i = from; i < text.size(); ++i) {
    if (in_string) {
      i += text[i] == '\\' ? 1 : 0;
      in_string = text[i] != '"';
    } else if (text[i] == '"') {
      in_string = true;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return text.substr(from, i - from + 1);
    }
  }
  return "{}";
}

std::string result_of(std::string_view body) {
  if (body.find("\"Test.CpuMetrics\"") != std::string_view::npos)
    return R"({"type":"cpu","cpu":[{"cpu_time":12.5,"vcpu_time":11.25},{"cpu_time":13.5,"vcpu_time":12.25}]})";
  constexpr std::string_view member = "\"guest\":";
  const auto at = body.find(member);
  const auto guest = at == std::string_view::npos ? "{}" : object_at(body, at + member.size());
  return std::string{R"({"guest":)"}.append(guest).append("}");
}

bool answer_call(int fd, std::string_view body) {
  const auto id = body.substr(std::min(body.size(), body.rfind(':') + 1));
  const auto text = R"({"result":)" + result_of(body) + R"(,"error":null,"id":)" + std::string{id};
  return send_all(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                        std::to_string(text.size()) + "\r\n\r\n" + text);
}

bool send_bytes(int fd, std::size_t count) {
  static const std::string block(256 * 1024, 'x');
  bool open = send_all(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
                             std::to_string(count) + "\r\n\r\n");
  while (open && count > 0) {
    const auto piece = std::min(count, block.size());
    open = send_all(fd, std::string_view{block}.substr(0, piece));
    count -= piece;
  }
  return open;
}

bool serve_request(int fd, std::string_view head, std::string_view body) {
  constexpr std::string_view download = "POST /download/";
  if (head.starts_with(download))
    return send_bytes(fd, std::stoul(std::string{head.substr(download.size(), 20)}));
  return answer_call(fd, body);
}

void wait_for_leaving(int fd) {
  char byte = 0;
  while (::recv(fd, &byte, 1, 0) > 0) {
  }
}

void serve(const mistify::test::descriptor& connection) {
  const int on = 1;
  ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  requests from{connection.get()};
  std::string_view head, body;
  while (from.next(head, body)) {
    if (body.find("\"Test.Hang\"") != std::string_view::npos)
      return wait_for_leaving(connection.get());
    if (!serve_request(connection.get(), head, body))
      return;
  }
}

mistify::test::descriptor listen_on(std::uint16_t port) {
  mistify::test::descriptor made{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int on = 1;
  ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(made.get(), 1024) != 0)
    throw std::system_error{errno, std::generic_category(), "listen"};
  return made;
}

} // namespace

int main(int argc, char** argv) {
  try {
    const auto listener = listen_on(mistify::bench::port_from(argc == 2 ? argv[1] : ""));
    for (;;) {
      mistify::test::descriptor connection{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (connection.get() >= 0)
        std::thread{serve, std::move(connection)}.detach();
    }
  } catch (const std::exception& e) {
    std::cerr << "bench_sub_agent: " << e.what() << '\n';
    return 1;
  }
}
