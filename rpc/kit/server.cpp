#include "rpc/kit/server.hpp"

#include "rpc/base/thread_name.hpp"
#include "rpc/base/thread_pool.hpp"
#include "rpc/kit/fair_queue.hpp"
#include "rpc/kit/listener.hpp"
#include "rpc/kit/server_connection.hpp"
#include "rpc/net/unix_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace mistify::rpc {

namespace {
/// Longer than any caller keeps a connection for reuse (our client: one second), so that none is closed under a call.
constexpr std::chrono::seconds idle_time{10};
/// Served at a time; the rest waits.
constexpr std::size_t max_connections = 64;
/// Accepted and waiting; the rest waits in the kernel, where nobody sees whose they are.
constexpr std::size_t max_waiting = 448;
/// A client that keeps its place for longer without sending what is expected of it loses it to one that waits. Longer
/// than callers keep a connection for reuse.
constexpr std::chrono::seconds longest_silence{2};
constexpr std::chrono::milliseconds look_interval{100};
constexpr std::chrono::seconds grace{1};
} // namespace

struct server::impl {
  impl(const listen_at& where, std::size_t max_body, std::string rpc_path)
    : what{.max_body = max_body, .rpc_path = std::move(rpc_path), .most_streams = max_connections / 2},
      listener{open_listener(where)}, allowed{where.allowed}, path{where.inherited ? "the service manager's socket"
                                                                                   : where.socket},
      wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {}

  served what;
  unique_fd listener;
  const std::vector<uid_t> allowed;
  const std::string path; ///< empty: a port
  unique_fd wake;         // becomes readable for good when the server stops
  std::mutex mutex;
  std::condition_variable left; // by the accepting thread, or by a connection
  bool stopping = false, accepting = false;
  struct place {
    std::uint32_t peer = 0;
    bool idle = false, dropped = false;
  };
  std::unordered_map<server_connection*, place> connections; // that are served
  fair_queue<unique_fd> queue{max_connections};
  std::thread background;
  thread_pool threads{"connections", max_connections};

  void accept_all();
  enum class came : std::uint8_t { nothing, connection, stop };
  came wait_for_connection();
  bool may_call(int fd) const;
  void accept_one();
  void serve_waiting();
  void make_room();
  std::optional<fair_queue<unique_fd>::entry> next();
  void serve_all(std::uint32_t peer, unique_fd fd);
  void serve(std::uint32_t peer, unique_fd fd);
  bool mark(server_connection& on, bool idle);
  void stop();
};

/// Also returns now and then while something waits for a place.
server::impl::came server::impl::wait_for_connection() {
  std::size_t waiting = 0;
  {
    std::lock_guard lock{mutex};
    waiting = queue.waiting();
  }
  pollfd fds[] = {{waiting < max_waiting ? listener.get() : -1, POLLIN, 0}, {wake.get(), POLLIN, 0}};
  const int longest = waiting > 0 ? static_cast<int>(look_interval.count()) : -1;
  while (::poll(fds, 2, longest) < 0 && errno == EINTR) {
  }
  if (fds[1].revents != 0)
    return came::stop;
  return fds[0].revents != 0 ? came::connection : came::nothing;
}

void server::impl::accept_all() {
  {
    std::lock_guard lock{mutex};
    accepting = true;
  }
  for (auto what_came = wait_for_connection(); what_came != came::stop; what_came = wait_for_connection()) {
    if (what_came == came::connection)
      accept_one();
    serve_waiting();
    make_room();
  }
  std::lock_guard lock{mutex};
  accepting = false;
  left.notify_all();
}

bool server::impl::may_call(int fd) const {
  const auto user = peer_user(fd);
  return !user || *user == 0 || *user == ::geteuid() ||
         std::find(allowed.begin(), allowed.end(), *user) != allowed.end();
}

void server::impl::accept_one() {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  unique_fd fd{::accept4(listener.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (fd && !may_call(fd.get()))
    return; // the kernel says who it is: another user than those that may
  if (fd) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto peer = peer_of(from, fd.get());
    std::lock_guard lock{mutex};
    queue.add(peer, std::move(fd));
  } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
    wait_for(wake.get(), POLLIN, deadline_after(std::chrono::milliseconds{50})); // others may end meanwhile
  }
}

/// The connection whose turn it is; null where no place is free.
std::optional<fair_queue<unique_fd>::entry> server::impl::next() {
  std::lock_guard lock{mutex};
  return stopping ? std::nullopt : queue.next();
}

/// Starts to serve what waits, as far as there are places.
void server::impl::serve_waiting() {
  while (auto entry = next()) {
    // std::function wants to be copied, sockets do not.
    const auto fd = std::make_shared<unique_fd>(std::move(entry->item));
    const auto work = [this, fd, peer = entry->peer] { serve_all(peer, std::move(*fd)); };
    // A place is free a little before its thread is.
    while (!threads.try_post(work))
      if (wait_for(wake.get(), POLLIN, deadline_after(std::chrono::milliseconds{10})))
        return;
  }
}

/// While some wait, connections whose client is silent give way, those of the peer with the most places first. A peer
/// never gains a place from one that holds fewer.
void server::impl::make_room() {
  std::lock_guard lock{mutex};
  auto wanted = queue.free_places() > 0 ? 0 : queue.waiting();
  std::vector<std::pair<std::size_t, server_connection*>> silent;
  for (auto& [connection, mine] : connections) {
    if (mine.dropped)
      wanted -= std::min<std::size_t>(wanted, 1);
    else if (connection->silent_for(longest_silence))
      silent.emplace_back(queue.held_by(mine.peer), connection);
  }
  std::sort(silent.begin(), silent.end(), std::greater<>{});
  for (const auto& [held, connection] : silent) {
    if (wanted == 0 || held < queue.held_by_next())
      break;
    connection->drop();
    connections[connection].dropped = true;
    --wanted;
  }
}

/// Notes what the connection does; false when the server is stopping and it should end.
bool server::impl::mark(server_connection& on, bool idle) {
  std::lock_guard lock{mutex};
  connections[&on].idle = idle;
  return !stopping;
}

/// On a thread of the pool: serves the connection, then those whose turn it is afterwards.
void server::impl::serve_all(std::uint32_t peer, unique_fd fd) {
  for (;;) {
    serve(peer, std::move(fd));
    auto following = next();
    if (!following)
      return;
    peer = following->peer;
    fd = std::move(following->item);
  }
}

void server::impl::serve(std::uint32_t peer, unique_fd fd) {
  std::optional<server_connection> on;
  try {
    on.emplace(std::move(fd), what);
    {
      std::lock_guard lock{mutex};
      connections[&*on].peer = peer;
    }
    while (mark(*on, true) && on->wait_for_request(deadline_after(idle_time)) && mark(*on, false) &&
           on->serve_request()) {
    }
  } catch (const std::exception&) {
    // Out of memory, as good as always; the other end sees the connection close.
  }
  std::lock_guard lock{mutex};
  if (on)
    connections.erase(&*on);
  queue.leave(peer);
  left.notify_all();
}

void server::impl::stop() {
  std::unique_lock lock{mutex};
  stopping = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof one);
  for (const auto& [connection, mine] : connections)
    if (mine.idle)
      connection->drop();
  left.wait(lock, [&] { return !accepting; });
  // Calls may end; what streams for longer than this is broken off.
  left.wait_for(lock, grace, [&] { return connections.empty(); });
  for (const auto& [connection, mine] : connections)
    connection->drop();
  auto thread = std::move(background);
  lock.unlock();
  if (thread.joinable())
    thread.join();
  threads.stop();
}

server::server(const listen_at& where, std::size_t max_body, std::string path)
  : impl_{std::make_unique<impl>(where, max_body, std::move(path))} {}

server::~server() {
  stop();
}

std::string server::address() const {
  return impl_->path.empty() ? "127.0.0.1:" + std::to_string(port()) : impl_->path;
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
  impl_->background = std::thread{[i = impl_.get()] {
    name_thread("accept");
    i->accept_all();
  }};
}

void server::stop() {
  impl_->stop();
}

} // namespace mistify::rpc
