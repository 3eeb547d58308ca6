#pragma once

#include "sockets.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace mistify::test {

/// Blocks a scripted reply until the test opens the gate.
class gate {
public:
  void open();
  /// Returns false if `patience` ended first.
  bool wait();

private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

/// A request from the agent to a sub-agent.
struct call {
  std::string verb, path, content_type, request_id, job_id;
  std::string body;
  std::string method; ///< of the JSON-RPC envelope; otherwise the path
  std::string params; ///< JSON text of the one object; otherwise the body
  std::string id;     ///< JSON text
};

/// Writes to a scripted download. Blocks like a socket; returns false once the agent has disconnected.
using write_bytes = std::function<bool(std::string_view)>;

/// The scripted reaction to a call.
struct reply {
  enum class kind : std::uint8_t { http, raw, hang, download };
  kind what = kind::http;
  int status = 200;
  std::string bytes; ///< http: the body. raw: all bytes sent before the connection is closed
  std::string content_type = "application/json";
  std::function<bool(const write_bytes&)> stream; ///< download: returns true for a complete end, false to abort
  std::int64_t length = -1;                       ///< download: Content-Length; -1: chunked
};

/// `{"result":R,"error":null}` with the call's id.
reply result(const call& asked, std::string_view json);
/// Returns the guest of the call unchanged.
reply echo(const call& asked);
/// `{"result":null,"error":E}`; E is JSON text.
reply rpc_error(const call& asked, std::string_view json);
/// Any HTTP answer.
reply http_reply(int status, std::string body);
/// Sends these bytes and closes the connection; empty: closes without a response.
reply raw_reply(std::string bytes);
/// Never responds, and keeps the connection open.
reply hang();
/// A download with the data that `stream` writes.
reply download(std::function<bool(const write_bytes&)> stream, std::int64_t length = -1);

using script = std::function<reply(const call&)>;

/// A scripted sub-agent on a free loopback port; each call runs on a thread of its own. Defaults without a script:
/// guest actions and metrics return the guest, images and snapshots an empty list.
class sub_agent {
public:
  sub_agent();
  ~sub_agent();

  std::uint16_t port() const noexcept { return port_; }

  /// Sets the reaction to a method ("Test.Reboot") or, for a download, a path.
  void on(const std::string& method, script does);

  std::vector<call> calls() const;
  std::vector<call> calls(std::string_view method) const;
  /// Waits for `how_many` calls; returns false if `patience` ends first.
  bool wait_for(std::string_view method, std::size_t how_many) const;
  /// Returns the number of unanswered calls.
  std::size_t under_way() const;
  std::size_t most_under_way() const;
  /// Number of hung calls and downloads whose connection the agent closed.
  std::size_t left() const noexcept { return left_; }

private:
  void accept_all();
  void serve(int fd);
  reply decide(const call& asked) const;
  bool answer(int fd, const reply& with);
  bool stream(int fd, const reply& with);
  bool wait_for_leaving(int fd);
  script script_for(const std::string& method) const;
  void note_begin(const call& asked);
  void note_end();

  std::uint16_t port_ = 0;
  descriptor listening_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> left_ = 0;
  mutable std::mutex mutex_; // guards the following members
  std::map<std::string, script, std::less<>> scripts_;
  std::vector<call> calls_;
  std::size_t under_way_ = 0, most_under_way_ = 0;
  struct connection {
    descriptor fd;
    std::thread thread;
  };
  std::list<connection> connections_;
  std::thread acceptor_;
};

} // namespace mistify::test
