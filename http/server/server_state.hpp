#pragma once

#include "http/protocol/compress.hpp"
#include "http/protocol/request_parser.hpp"
#include "http/server/handshake_table.hpp"
#include "http/server/poller_set.hpp"
#include "http/server/server.hpp"
#include "http/server/share_table.hpp"
#include "http/server/waiting_answers.hpp"
#include "rpc/base/thread_pool.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace mistify::http {

class connection;

/// The open connections, by descriptor. Every member is thread-safe.
class connection_table {
public:
  using entry = std::shared_ptr<connection>;

  /// Returns the key for a new connection on `fd`, to be used with `put`.
  watch_key next_key(int fd);
  void put(watch_key key, entry c);
  /// Null if the connection has been closed, even if its descriptor was reused.
  entry find(watch_key key) const;
  void erase(watch_key key);
  std::size_t size() const;
  std::vector<entry> all() const;
  /// Returns the connections whose deadline has passed at `t`; sets `next` to the earliest deadline of the others.
  std::vector<entry> due(tick t, tick& next) const;
  /// Returns false if connections remain at `deadline`.
  bool wait_until_empty(tick deadline) const;

private:
  struct slot {
    std::uint32_t generation = 0;
    entry held;
  };
  mutable std::mutex mutex_;
  mutable std::condition_variable emptied_;
  std::vector<slot> slots_; // by descriptor
  std::size_t size_ = 0;
  std::uint32_t generation_ = 0;
};

/// How many threads wait for requests: as many as there are processors, and at most as many as workers.
std::size_t leader_count(const server_settings& settings);

/// State shared by the connections of a server. Outlives the server until every handler has answered.
struct server_state {
  server_state(server_settings s, handler h, error_answers e)
    : settings{s}, handle{std::move(h)}, errors{std::move(e)}, pollers{leader_count(s)},
      connection_shares{s.connections_of_one}, live_shares{s.live_of_one}, waiting{s.waiting_bytes},
      downloads{"downloads", s.max_downloads}, least_rate{s.least_rate}, tls_{s.tls} {}

  /// Return error answers; plain ones if the configured functions fail.
  answer answer_to(std::exception_ptr error) const noexcept;
  answer answer_to(int status, std::string message) const noexcept;
  server_stats stats() const;

  client_standing standing_of(const peer_identity& peer) const {
    return settings.standing_of ? settings.standing_of(peer) : client_standing{};
  }
  /// Whose share of connections and open-ended answers a client takes: its identity's, else its address's.
  std::string share_of(const peer_identity& peer) const {
    auto key = standing_of(peer).key;
    return key.empty() ? share_key(peer) : key;
  }

  /// The threads that run answers of that kind.
  rpc::thread_pool& threads_of(stream_kind kind) noexcept;

  /// What new connections of TLS listeners begin with. Null: TCP listeners are plain.
  std::shared_ptr<const tls_context> tls() const;
  void replace_tls(std::shared_ptr<const tls_context> context);

  const server_settings settings; // of the start; the members of `server_limits` are in those below
  const handler handle;
  const error_answers errors;
  compressor gzip;
  poller_set pollers;
  share_table connection_shares, live_shares; // by address; declared before the connections, which hold places
  waiting_answers waiting;
  handshake_table handshakes{most_handshakes};
  connection_table connections;
  rpc::thread_pool downloads;
  // For pages that the agent streams itself; downloads do not delay them.
  rpc::thread_pool pages{"pages", most_pages, most_pages};
  // For the logs of guests, whose readers may stay for as long as they like.
  rpc::thread_pool logs{"logs", most_logs};
  rpc::thread_pool packers{"packers", most_packers, most_packings}; // compress large answers off the workers

  std::atomic<std::size_t> least_rate; // of connections and downloads that begin
  std::atomic<bool> stopping{false};
  std::atomic<std::size_t> parked{0}, downloading{0}, live{0}, buffered{0};
  std::atomic<std::uint64_t> requests{0}, refused{0}, dropped{0};

private:
  static constexpr std::size_t most_pages = 8, most_packers = 1, most_packings = 64, most_handshakes = 64;
  static constexpr std::size_t most_logs = 64; // as many as the shipped services let read

  mutable std::mutex tls_mutex_;
  std::shared_ptr<const tls_context> tls_;
};

} // namespace mistify::http
