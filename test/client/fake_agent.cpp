#include "fake_agent.hpp"

#include <poll.h>
#include <sys/socket.h>

namespace mistify::test {

fake_agent::fake_agent(script does)
  : listening_{listen_on_loopback(port_)}, does_{std::move(does)}, thread_{[this] { serve(); }} {}

fake_agent::~fake_agent() {
  stopping_ = true;
  thread_.join();
}

std::vector<std::string> fake_agent::requests() const {
  const std::lock_guard lock{mutex_};
  return requests_;
}

void fake_agent::serve() {
  while (!stopping_) {
    pollfd ready{listening_.get(), POLLIN, 0};
    if (::poll(&ready, 1, 20) <= 0)
      continue;
    const descriptor fd{::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos && receive_some(fd.get(), request)) {
    }
    const auto length = header_in(request, "Content-Length");
    const auto whole = request.find("\r\n\r\n") + 4 + (length.empty() ? 0 : std::stoul(length));
    while (request.size() < whole && receive_some(fd.get(), request)) {
    }
    std::size_t before = 0;
    {
      const std::lock_guard lock{mutex_};
      before = requests_.size();
      requests_.push_back(request);
    }
    does_(request, before, fd.get());
  }
}

std::string header_in(const std::string& request, const std::string& name) {
  const auto at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos)
    return {};
  const auto begin = at + name.size() + 4;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

std::string answer_text(const std::string& body, const std::string& status, const std::string& headers) {
  return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

} // namespace mistify::test
