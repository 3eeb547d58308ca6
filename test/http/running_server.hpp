#pragma once

#include "http/server/server.hpp"

#include <chrono>
#include <coroutine>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mistify::test {

/// Holds coroutines until a test resumes them.
class parking {
public:
  struct spot {
    parking& in;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
      std::lock_guard lock{in.mutex_};
      in.waiting_.push_back(h);
    }
    void await_resume() const noexcept {}
  };
  spot wait() { return {*this}; }
  std::size_t size() const {
    std::lock_guard lock{mutex_};
    return waiting_.size();
  }
  /// Resumes all waiting coroutines on the calling thread.
  std::size_t resume_all() {
    std::vector<std::coroutine_handle<>> ready;
    {
      std::lock_guard lock{mutex_};
      ready.swap(waiting_);
    }
    for (auto h : ready)
      h.resume();
    return ready.size();
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::coroutine_handle<>> waiting_;
};

/// A server on a free port with a handler for each path.
class running_server {
public:
  using routes = std::map<std::string, http::handler>;

  explicit running_server(routes table, http::server_settings settings = {})
    : table_{std::make_shared<const routes>(std::move(table))},
      server{settings,
             [t = table_](http::request r) { return dispatch(t, std::move(r)); },
             {[](std::exception_ptr e) { return from_exception(e); },
              [](int status, std::string message) { return error(status, message); }}} {
    port = server.listen("127.0.0.1:0");
    server.start();
  }

  static http::answer text(std::string body) {
    http::answer a;
    a.body = std::move(body);
    a.content_type = "text/plain";
    return a;
  }
  static http::answer error(int status, const std::string& message) {
    http::answer a;
    a.status = status;
    a.body = "{\"code\":" + std::to_string(status) + ",\"message\":\"" + message + "\"}\n";
    return a;
  }

private:
  static http::task<http::answer> dispatch(std::shared_ptr<const routes> table, http::request r) {
    auto i = table->find(r.path);
    if (i == table->end())
      co_return text(r.method + " " + r.path + " " + r.body);
    co_return co_await i->second(std::move(r));
  }
  static http::answer from_exception(const std::exception_ptr& e) {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& x) {
      return error(500, x.what());
    }
  }

  std::shared_ptr<const routes> table_;

public:
  http::server server;
  std::uint16_t port = 0;
};

/// A handler that parks every request, then answers "resumed".
inline http::handler parks_in(parking& lot) {
  return [&lot](http::request) -> http::task<http::answer> {
    co_await lot.wait();
    co_return running_server::text("resumed");
  };
}

/// A handler whose answer is a download.
inline http::handler downloads(http::download stream) {
  return [stream](http::request) -> http::task<http::answer> {
    http::answer a;
    a.content_type = "application/octet-stream";
    a.body = http::streamed{stream};
    co_return a;
  };
}

/// Returns true if `holds` becomes true within five seconds.
template <class F>
bool eventually(F holds) {
  for (int i = 0; i < 1000; ++i, std::this_thread::sleep_for(std::chrono::milliseconds{5}))
    if (holds())
      return true;
  return false;
}

} // namespace mistify::test
