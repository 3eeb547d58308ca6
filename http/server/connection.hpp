#pragma once

#include "http/protocol/message.hpp"
#include "http/protocol/write_buffer.hpp"
#include "http/server/reader_pace.hpp"
#include "http/server/server_state.hpp"
#include "rpc/http1/request_reader.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace mistify::http {

class transfer;

/// One client. Whatever happens to it is a signal: an event of its socket, a deadline, an answer, the end of a download,
/// the server's stop. A thread that posts a signal while no other is at work on the connection works until no signal is
/// left; any other leaves it to the one at work. So every other member is used by one thread at a time, without a lock,
/// and nobody ever waits for a connection.
class connection : public std::enable_shared_from_this<connection> {
public:
  enum signal : std::uint32_t {
    readable = 1,     ///< bytes, or their end
    writable = 2,     ///< the kernel has room
    half_closed = 4,  ///< the client sends no more
    broken = 8,       ///< the client has gone
    expired = 16,     ///< the deadline may have passed
    answered = 32,    ///< the handler that was waited for has an answer
    transferred = 64, ///< the download's thread is done
    stop_idle = 128,  ///< close if nothing is under way
    stop_now = 256,   ///< close
    fed = 512,        ///< there is more of an answer without end
    dropped = 1024,   ///< close: others that are faster need the room of what waits for this client
  };
  /// Who posts: only workers run handlers and read; on other threads, which may be actors', an answer is sent at most.
  enum class thread : std::uint8_t { worker, other };

  /// One that is `too_many` is answered 503 and closed. `share` is its place among those of its address.
  connection(std::shared_ptr<core> shared, watch_key key, std::string peer, share_table::place share, bool too_many);
  ~connection();

  void post(std::uint32_t signals, thread on);

  /// When `expired` should be posted.
  tick deadline() const noexcept { return deadline_.load(); }

  /// The handler's answer. Called once for each request, on any thread.
  void complete(answer a);

private:
  enum class stage : std::uint8_t { reading, handling, writing, downloading, live, draining, closed };
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
  void close();
  void close_hard();

  // connection_reading.cpp
  bool read_request(thread on);
  bool wait_for_bytes();
  bool fill();
  bool account();
  bool begin_exchange();
  std::string_view sent_request_id() const;
  void start_handler(request r);
  bool drain();

  // connection_writing.cpp
  void respond(thread on);
  void refuse(int status, std::string message, bool head_only = false);
  void send(answer a);
  void compress(answer& a);
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

  // connection_live.cpp
  void start_live();
  std::string live_head(const answer& a) const;
  bool feed(thread on);
  bool send_more();
  void put_piece(std::string bytes);
  void end_live();
  void on_live_deadline();

  const std::shared_ptr<core> core_;
  const watch_key key_;
  const std::string peer_;
  std::atomic<std::uint32_t> signals_{0};
  std::atomic<tick> deadline_{never};
  const share_table::place share_;

  stage stage_ = stage::reading;
  bool too_many_;
  rpc::http1::request_reader reader_;
  bool may_read_ = false;    // the kernel may hold bytes that were not read
  bool half_closed_ = false; // reading will come to an end
  bool late_ = false;        // the deadline has passed, and what is there is read or sent before that counts
  bool timing_ = false;      // the deadline is that of a request, not of an idle connection
  bool handed_over_ = false; // the answer waits for a worker
  std::size_t accounted_ = 0;
  std::size_t drained_ = 0;

  // of the request that is being answered
  std::atomic<phase> phase_{phase::started};
  std::string request_id_;
  answer answer_;
  bool head_only_ = false, http_1_0_ = false, keep_alive_ = true, accepts_gzip_ = false, lingers_ = false;
  std::shared_ptr<transfer> transfer_;
  bool brief_ = false;  // the download is none, but a page of the agent's own
  bool packed_ = false; // the answer was compressed, as far as it can be
  std::shared_ptr<live_body> live_;
  std::optional<share_table::place> live_share_;
  outbox out_;
  reader_pace pace_;
  bool waits_ = false; // bytes of `out_` wait for the client
};

} // namespace mistify::http
