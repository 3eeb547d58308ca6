#pragma once

#include "http/protocol/client_socket.hpp"
#include "http/protocol/message.hpp"
#include "http/protocol/write_buffer.hpp"
#include "http/server/reader_pace.hpp"
#include "http/server/server_state.hpp"
#include "http/server/tls_context.hpp"
#include "rpc/http1/request_reader.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mistify::http {

class transfer;

/// One client connection. All inputs are signals: a socket event, a deadline, an answer, the end of a download, the
/// server's stop. A thread that posts a signal while no other thread works on the connection processes signals until
/// none is left; otherwise it leaves the signal to the working thread. So only one thread at a time uses the other
/// members, without a lock, and no thread waits for a connection.
class connection : public std::enable_shared_from_this<connection> {
public:
  enum signal : std::uint32_t {
    readable = 1,     ///< bytes or the end of input
    writable = 2,     ///< the socket's send buffer has room
    half_closed = 4,  ///< the client has shut down its sending side
    broken = 8,       ///< the client has disconnected
    expired = 16,     ///< the deadline may have passed
    answered = 32,    ///< the handler has an answer
    transferred = 64, ///< the download's thread has finished
    stop_idle = 128,  ///< close if idle
    stop_now = 256,   ///< close
    fed = 512,        ///< there is more of an answer without end
    dropped = 1024,   ///< close: others that are faster need the room of what waits for this client
    crowded = 2048,   ///< close, if the TLS handshake has not finished: others need its place
    begun = 4096,     ///< the first, before the client has said anything: sets the first deadline
  };
  /// The poster's thread: only workers run handlers and read; other threads, and workers while they run actors, at most
  /// send an answer.
  enum class thread : std::uint8_t { worker, other };

  /// What a connection begins with.
  struct origin {
    watch_key key;
    peer_ptr peer;
    share_table::place share; ///< its place among those of its address
    bool too_many = false;    ///< it is answered 503 and closed; not with TLS
    tls_start tls = {};       ///< empty: plain
  };
  /// `events`: where it is watched, of the state's.
  connection(std::shared_ptr<server_state> shared, poller& events, origin from);
  ~connection();

  void post(std::uint32_t signals, thread on);

  /// When to post `expired`.
  tick deadline() const noexcept { return deadline_.load(); }

  /// True until the TLS handshake is over: what the client sends then takes long to answer.
  bool greets() const noexcept { return greets_.load(std::memory_order_relaxed); }

  /// Sets the handler's answer, after which the handler uses the request no more. Called once for each request, on any
  /// thread.
  void complete(answer&& a) noexcept;

private:
  enum class stage : std::uint8_t { greeting, reading, handling, writing, downloading, live, draining, closed };
  enum class phase : std::uint8_t { started, parked, done };

  // connection.cpp: signals and stages
  void handle(std::uint32_t signals, thread on) noexcept;
  void try_handle(std::uint32_t signals, thread on);
  void handle_end(std::uint32_t signals);
  void proceed(thread on);
  bool step(thread on);
  void on_deadline();
  void judge_pace();
  void set_deadline(tick when);
  void send_go_on();
  void hand_to_worker();
  void watch_for_room();
  bool tls_wants_room() const;
  void close();
  void close_hard();
  void release();

  // connection_greeting.cpp
  bool greet(thread on);
  bool welcome();
  bool take_own_share();
  bool end_greeting();

  // connection_reading.cpp
  bool read_request(thread on);
  bool wait_for_bytes();
  bool fill();
  bool account();
  bool begin_exchange();
  std::string_view sent_request_id() const;
  void start_handler();
  bool drain();

  // connection_writing.cpp
  void respond(thread on);
  void refuse(int status, std::string message, bool head_only = false);
  void send(answer&& a);
  void put(answer_body&& body);
  bool compress(answer& a);
  bool is_heavy(const answer& a) const;
  bool pack_elsewhere();
  bool flush();
  void bytes_wait();
  void nothing_waits();
  std::uint64_t taken() const noexcept;
  void end_exchange();
  void start_draining();
  void start_download();
  void run_download();
  void finish_download();
  void watch_download();

  // connection_live.cpp
  void start_live();
  void append_live_head(std::string& out, const answer& a) const;
  bool feed(thread on);
  bool send_more();
  void put_piece(std::string bytes);
  void end_live();
  void finish_live();
  void on_live_deadline();
  bool may_live() const;
  void set_live_deadline(tick latest);

  /// How often the rights of the reader of an answer without end, or of a download, are judged again.
  static constexpr std::chrono::milliseconds judged_every{900};

  const std::shared_ptr<server_state> state_;
  poller& events_;
  const watch_key key_;
  peer_ptr peer_; // from the end of the handshake on with the certificate
  std::atomic<std::uint32_t> signals_{0};
  std::atomic<tick> deadline_{never};
  std::atomic<bool> greets_;
  std::optional<share_table::place> share_; // of the address; from the end of the handshake on of the certificate

  const std::shared_ptr<const tls_context> tls_; // null: plain
  client_socket socket_;
  stage stage_;
  bool too_many_;
  rpc::http1::request_reader reader_;
  bool may_read_ = false;     // the kernel may have unread bytes
  bool half_closed_ = false;  // the input will end
  bool late_ = false;         // the deadline has passed; bytes available now are still processed first
  bool watches_room_ = false; // the poller reports room to write
  bool timing_ = false;       // the deadline is that of a request, not of an idle connection
  bool handed_over_ = false;  // the answer waits for a worker
  std::size_t accounted_ = 0;
  std::size_t drained_ = 0;

  // state of the current request
  std::atomic<phase> phase_{phase::started};
  request request_;  // while it is handled, the handler's
  std::string host_; // the door let in last
  std::string request_id_;
  answer answer_;
  bool head_only_ = false, http_1_0_ = false, keep_alive_ = true, accepts_gzip_ = false, lingers_ = false;
  std::shared_ptr<transfer> transfer_;
  stream_kind kind_ = stream_kind::data; // of the transfer
  bool packed_ = false;                  // compression of the answer was done or ruled out
  std::shared_ptr<streaming_body> live_;
  std::function<bool()> live_while_; // empty: always
  tick heartbeat_at_ = never;        // of `live_`
  std::optional<share_table::place> live_share_;
  write_buffer out_;
  reader_pace pace_;
  bool waits_ = false; // bytes of `out_` wait for the client
};

} // namespace mistify::http
