#pragma once

#include "rpc/base/cancellation.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace mistify::rpc {

/// The path that sub-agents of the original answer on.
inline constexpr std::string_view default_rpc_path = "/_mistify_RPC_";

/// Names the job that a call belongs to.
inline constexpr auto job_header = "X-Guest-Job-ID";

/// Where a sub-agent listens, and what is demanded of it.
struct endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string socket = {};        ///< path of a unix socket, in place of host and port; empty: none
  std::vector<uid_t> owners = {}; ///< of `socket`: users whose listener is believed; empty: any
  std::string path{default_rpc_path};
  std::chrono::milliseconds connect_timeout{2000};
  std::size_t max_answer = 16 * 1024 * 1024; ///< bytes of a call's answer; more ends the call with an error

  bool operator==(const endpoint&) const = default;
};

/// For whom the agent asks. What is not empty goes along as a header, so that the sub-agent can tell.
struct call_context {
  std::string_view request_id = {}; ///< X-Request-ID
  std::string_view job_id = {};     ///< X-Guest-Job-ID; see `asker::job`
};

/// What a download hands on while it runs. All are called on the thread that called `download`.
struct download_sink {
  /// The sub-agent answered 200 and data follows; `content_length` is -1 where it is not known.
  std::function<void(std::int64_t content_length)> begin;
  /// The next bytes. Blocks as long as the receiver is not ready: that is the back-pressure. False stops the download.
  std::function<bool(std::string_view bytes)> data;
  /// Where set, takes bytes of known length off the source's socket itself instead, as recv(2): up to `most`. Nothing
  /// stops the download. Blocks as `data` does.
  std::function<std::optional<ssize_t>(int from, std::size_t most)> relay = {};
};

/// How long a download waits for what. Zero: without end.
struct download_times {
  template <std::convertible_to<std::chrono::milliseconds> Time>
  download_times(Time each) : head{each}, piece{each} {} // NOLINT(google-explicit-constructor): one for both
  download_times(std::chrono::milliseconds to_head, std::chrono::milliseconds between)
    : head{to_head}, piece{between} {}

  std::chrono::milliseconds head;  ///< for the head of the answer
  std::chrono::milliseconds piece; ///< between two pieces of it
};

/// How a download ended, other than by an exception.
enum class download_end : std::uint8_t {
  complete, ///< every byte was handed on
  broken,   ///< the source broke off or stalled after `begin`
  stopped,  ///< the sink or the cancellation stopped it
};

/// A download the sub-agent refused: the status, 400 to 599, and text it answered, to be passed on as they are.
class download_refused : public failure {
public:
  download_refused(int status, const std::string& text);
  int status() const noexcept { return status_; }

private:
  int status_;
};

/// For people: "127.0.0.1:20001" or "unix:/run/x.sock".
std::string to_string(const endpoint& where);

class reactor;
class thread_pool;

/// Where a call goes on that was started: `answers` waits for the answer and takes it, `blocking` does what may block.
struct call_threads {
  reactor& answers;
  thread_pool& blocking;
};
using call_done = std::function<void(outcome<json::document>)>;

/// Calls one sub-agent: JSON-RPC over HTTP on kept connections. Blocks; every member is thread-safe, as many threads as
/// like may call at a time, each on a connection of its own.
///
/// A kept connection that has been idle for longer than a second is not used again, because the other end may be
/// closing it; nothing is ever sent twice.
class client {
public:
  explicit client(endpoint to);
  ~client();

  /// Calls `method` with the JSON object `params`; returns the `result`. `timeout` bounds the whole call
  /// from connecting to the last byte; zero means none. Throws
  ///   failure{sub_agent_failed}   refused or dropped connection, status >= 400 (its text, or the status where it is
  ///                               empty), error not null, result null, unparsable or oversized answer;
  ///   failure{sub_agent_timeout}  no whole answer in time;
  ///   failure{cancelled}          `cancel` was used.
  json::document call(std::string_view method, std::string_view params, std::chrono::milliseconds timeout,
                      const cancellation& cancel, const call_context& whom = {});

  /// As `call`, but returns at once: `told` gets the outcome, once, on one of the threads, which outlive the call, as
  /// this does. False, and nothing happens, where that takes more than a kept connection that is free: `call` makes
  /// one, which blocks.
  ///
  /// With a thread for each call that is out, woken for it and again for its answer, GET metrics/cpu made 0.67 of what
  /// a bare proxy does; so it makes 0.73 (etc/bench.sh metrics).
  [[nodiscard]] bool start_call(const call_threads& on, std::string_view method, std::string_view params,
                                std::chrono::milliseconds timeout, const cancellation& cancel, const call_context& whom,
                                call_done told);

  /// POSTs the bare JSON `request` and hands the bytes of a 200 answer on as they come, holding no more than a small
  /// buffer. Throws like `call` before `begin`, and `download_refused` for a status from 400 to 599; after `begin` it
  /// returns how it ended.
  download_end download(std::string_view request, const download_times& times, const cancellation& cancel,
                        const download_sink& sink, const call_context& whom = {});

  const endpoint& to() const noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::rpc
