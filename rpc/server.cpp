#include "rpc/server.hpp"

#include "rpc/server_connection.hpp"
#include "rpc/thread_pool.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unordered_map>
#include <vector>

namespace mistify::rpc {

namespace {
/// Longer than any caller keeps a connection for reuse (our client: one second), so that none is closed under a call.
constexpr std::chrono::seconds idle_time{10};
constexpr std::size_t max_connections = 512;
constexpr std::chrono::seconds grace{1};
} // namespace

struct server::impl {
  impl(std::uint16_t port, served s)
    : what{std::move(s)}, listener{tcp_listen(port)}, wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {}

  served what;
  unique_fd listener;
  unique_fd wake; // becomes readable for good when the server stops
  std::mutex mutex;
  std::condition_variable left; // by the accepting thread, or by a connection
  bool stopping = false, accepting = false;
  std::unordered_map<server_connection*, bool> connections; // → idle
  std::thread background;
  thread_pool threads{max_connections};

  void accept_all();
  bool wait_for_connection() const;
  void hand_over(unique_fd fd);
  void serve(server_connection& on);
  bool mark(server_connection& on, bool idle);
  void stop();
};

bool server::impl::wait_for_connection() const {
  pollfd fds[] = {{listener.get(), POLLIN, 0}, {wake.get(), POLLIN, 0}};
  while (::poll(fds, 2, -1) < 0 && errno == EINTR) {
  }
  return fds[1].revents == 0;
}

void server::impl::accept_all() {
  {
    std::lock_guard lock{mutex};
    accepting = true;
  }
  while (wait_for_connection()) {
    unique_fd fd{::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (fd)
      hand_over(std::move(fd));
    else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
      wait_for(wake.get(), POLLIN, deadline_after(std::chrono::milliseconds{50})); // others may end meanwhile
  }
  std::lock_guard lock{mutex};
  accepting = false;
  left.notify_all();
}

void server::impl::hand_over(unique_fd fd) {
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // std::function wants to be copied, sockets do not.
  auto shared = std::make_shared<server_connection>(std::move(fd), what);
  // With every thread busy the connection waits: closing it would fail a call that only has to be patient.
  while (!threads.try_post([this, shared] { serve(*shared); }))
    if (wait_for(wake.get(), POLLIN, deadline_after(std::chrono::milliseconds{10})))
      return;
}

/// Notes what the connection does; false when the server is stopping and it should end.
bool server::impl::mark(server_connection& on, bool idle) {
  std::lock_guard lock{mutex};
  connections[&on] = idle;
  return !stopping;
}

void server::impl::serve(server_connection& on) {
  try {
    while (mark(on, true) && on.wait_for_request(deadline_after(idle_time)) && mark(on, false) && on.serve_request()) {
    }
  } catch (const std::exception&) {
    // Out of memory, as good as always; the other end sees the connection close.
  }
  std::lock_guard lock{mutex};
  connections.erase(&on);
  left.notify_all();
}

void server::impl::stop() {
  std::unique_lock lock{mutex};
  stopping = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof one);
  for (const auto& [connection, idle] : connections)
    if (idle)
      connection->drop();
  left.wait(lock, [&] { return !accepting; });
  // Calls may end; what streams for longer than this is broken off.
  left.wait_for(lock, grace, [&] { return connections.empty(); });
  for (const auto& [connection, idle] : connections)
    connection->drop();
  auto thread = std::move(background);
  lock.unlock();
  if (thread.joinable())
    thread.join();
  threads.stop();
}

server::server(std::uint16_t port, std::size_t max_body, std::string path)
  : impl_{std::make_unique<impl>(port, served{max_body, std::move(path)})} {}

server::~server() {
  stop();
}

std::uint16_t server::port() const noexcept {
  return port_of(impl_->listener);
}

void server::handle_node(std::string method, prepare f) {
  impl_->what.methods.add(std::move(method), std::move(f));
}

void server::handle_raw(std::string method, std::function<std::string(std::string_view params)> f) {
  handle_node(std::move(method), [f = std::move(f)](const json::node& params) -> reply {
    return [&f, text = params.text()](const asker&) { return f(text); };
  });
}

void server::handle_http(std::string path, std::function<http_answer(std::string_view body)> f) {
  impl_->what.paths.insert_or_assign(std::move(path), std::move(f));
}

void server::listen() {
  impl_->accept_all();
}

void server::start() {
  std::lock_guard lock{impl_->mutex};
  impl_->background = std::thread{[i = impl_.get()] { i->accept_all(); }};
}

void server::stop() {
  impl_->stop();
}

} // namespace mistify::rpc
