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

/// A door that a scripted answer waits at until the test opens it.
class gate {
public:
  void open();
  /// False when `patience` was over first.
  bool wait();

private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

/// What the agent sent to a sub-agent.
struct call {
  std::string verb, path, content_type, request_id, job_id;
  std::string body;
  std::string method; ///< of the JSON-RPC envelope; for anything else the path
  std::string params; ///< JSON text of the one object; for anything else the body
  std::string id;     ///< JSON text
};

/// Where a scripted download writes. `write` blocks like a socket and is false once the agent has gone.
using write_bytes = std::function<bool(std::string_view)>;

/// What a sub-agent does about a call.
struct reply {
  enum class kind : std::uint8_t { http, raw, hang, download };
  kind what = kind::http;
  int status = 200;
  std::string bytes; ///< http: the body. raw: everything that is sent before the connection is closed
  std::string content_type = "application/json";
  std::function<bool(const write_bytes&)> stream; ///< download: true ends it well, false breaks it off
  std::int64_t length = -1;                       ///< download: Content-Length; -1: in chunks
};

/// `{"result":R,"error":null}` with the id of the call put in.
reply result(const call& asked, std::string_view json);
/// The guest that was asked about, as it came.
reply echo(const call& asked);
/// `{"result":null,"error":E}`; E is JSON text.
reply rpc_error(const call& asked, std::string_view json);
/// Any HTTP answer.
reply http_reply(int status, std::string body);
/// These bytes and the end of the connection; none: hangs up without a word.
reply raw_reply(std::string bytes);
/// Never answers, and keeps the connection.
reply hang();
/// A download of what `stream` writes.
reply download(std::function<bool(const write_bytes&)> stream, std::int64_t length = -1);

using script = std::function<reply(const call&)>;

/// A sub-agent on a free loopback port that does what it is told to, each call on a thread of its own. Calls that have
/// no script: guest actions and metrics get the guest back, images and snapshots an empty list.
class sub_agent {
public:
  sub_agent();
  ~sub_agent();

  std::uint16_t port() const noexcept { return port_; }

  /// What is done about a method ("Test.Reboot") or, for a download, a path.
  void on(const std::string& method, script does);

  std::vector<call> calls() const;
  std::vector<call> calls(std::string_view method) const;
  /// Waits until so many calls have come; false when `patience` is over first.
  bool wait_for(std::string_view method, std::size_t how_many) const;
  /// Calls that have come and have not been answered.
  std::size_t under_way() const;
  std::size_t most_under_way() const;
  /// Hung calls and downloads that the agent left.
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
  mutable std::mutex mutex_; // guards what follows
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
