#pragma once

#include "rpc/http1/door.hpp"
#include "rpc/http1/request_reader.hpp"
#include "rpc/kit/dispatcher.hpp"
#include "rpc/kit/server.hpp"
#include "rpc/net/socket_stream.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace mistify::rpc {

/// What a server serves. Immutable once connections are there, but for the count of streams.
struct served {
  using http_handler = std::function<http_answer(std::string_view body)>;

  std::size_t max_body;
  std::string rpc_path;
  dispatcher methods = {};
  std::map<std::string, http_handler, std::less<>> paths = {};
  rpc::door door{machine_names()};
  std::size_t most_streams = 32; ///< at a time: half of the connections, so that calls get through
  mutable std::atomic<std::size_t> streams{0};
};

/// One connection of a server: reads requests and answers them one by one. Belongs to one thread; only `drop` may come
/// from others.
class server_connection final : private asker {
public:
  server_connection(unique_fd fd, const served& what);

  /// Waits for the head of a request to begin; false when none came in time or the other end left.
  bool wait_for_request(deadline until);

  /// Serves one request; false when the connection is to be closed behind it.
  bool serve_request();

  /// True if bytes of the client have been awaited for so long, before a request or for the rest of one. Thread-safe.
  bool silent_for(std::chrono::milliseconds time) const noexcept {
    const auto since = awaits_since_.load();
    return since != nothing_awaited && clock::now() - clock::time_point{clock::duration{since}} >= time;
  }

  /// Ends the waiting, and whatever is sent or received at the moment. Thread-safe.
  void drop() const noexcept { stream_.abort(); }

private:
  bool gone() const noexcept override { return stream_.other_end_left(); }
  const std::string& job() const noexcept override { return job_; }
  bool read_more();
  bool serve_whole();
  bool refuse_framing(int status, const std::string& message);
  std::string_view header(std::string_view name) const noexcept;
  bool admits();
  void dispatch(std::string_view path, std::string_view body);
  void call(std::string_view body);
  void answer_http(const served::http_handler& handler, std::string_view body);
  void refuse(int status, std::string_view text);
  void send_text(int status, std::string_view type, std::string_view body);
  void send_stream(const http_answer& answer);
  std::string head(int status, std::string_view type, std::int64_t length, bool chunked) const;
  void drain();

  using clock = std::chrono::steady_clock;
  static constexpr clock::rep nothing_awaited = 0;
  void await_client() noexcept { awaits_since_ = clock::now().time_since_epoch().count(); }

  const served& what_;
  socket_stream stream_;
  std::atomic<clock::rep> awaits_since_{nothing_awaited};
  std::string job_; // of the call that is served
  http1::request_reader reader_;
  bool keep_ = false; // the next request is awaited on this connection
};

} // namespace mistify::rpc
