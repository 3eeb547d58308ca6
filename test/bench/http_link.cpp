#include "http_link.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <vector>

namespace mistify::bench {

namespace {

std::size_t length_of(const http_reply& reply) {
  const auto length = reply.header("Content-Length");
  if (length.empty())
    throw std::runtime_error{"an answer without a length: " + reply.head};
  return std::stoul(length);
}

} // namespace

test::descriptor connect_to(std::uint16_t port) {
  test::descriptor made{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::system_error{errno, std::generic_category(), "connect"};
  const int on = 1;
  ::setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

int http_reply::status() const {
  return head.size() > 12 ? std::stoi(head.substr(9, 3)) : 0;
}

std::string http_reply::header(std::string_view name) const {
  const auto begin = head.find("\r\n" + std::string{name} + ": ");
  if (begin == std::string::npos)
    return {};
  const auto value = begin + name.size() + 4;
  return head.substr(value, head.find("\r\n", value) - value);
}

http_link::http_link(std::uint16_t port) : fd_{connect_to(port)} {}

void http_link::send(std::string_view method, std::string_view path, std::string_view body) {
  std::string text;
  text.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: localhost\r\n");
  if (method != "GET")
    text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  if (!test::send_all(fd_.get(), text.append("\r\n").append(body)))
    throw std::runtime_error{"the server hung up"};
}

std::string http_link::receive_head(std::string& rest) {
  std::size_t end = 0;
  while ((end = rest.find("\r\n\r\n")) == std::string::npos)
    if (!test::receive_some(fd_.get(), rest))
      throw std::runtime_error{"no answer came"};
  auto head = rest.substr(0, end + 2);
  rest.erase(0, end + 4);
  return head;
}

http_reply http_link::ask(std::string_view method, std::string_view path, std::string_view body) {
  send(method, path, body);
  http_reply reply;
  reply.head = receive_head(reply.body);
  const auto size = length_of(reply);
  while (reply.body.size() < size)
    if (!test::receive_some(fd_.get(), reply.body))
      throw std::runtime_error{"an answer broke off"};
  return reply;
}

std::size_t http_link::ask_and_drop(std::string_view method, std::string_view path) {
  send(method, path);
  std::string begun;
  http_reply reply;
  reply.head = receive_head(begun);
  const auto size = length_of(reply);
  std::vector<char> buffer(256 * 1024);
  for (auto missing = size - begun.size(); missing > 0;) {
    const auto n = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (n <= 0)
      throw std::runtime_error{"a download broke off"};
    missing -= static_cast<std::size_t>(n);
  }
  return size;
}

} // namespace mistify::bench
