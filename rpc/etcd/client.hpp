#pragma once

#include "rpc/etcd/http_session.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// A thin client of etcd, 3.4 or later: its v3 API through the JSON gateway, or its v2 API (`--enable-v2`), behind one
/// interface that has what a registration needs.
namespace mistify::rpc::etcd {

enum class api : std::uint8_t { v3, v2 };

struct client_settings {
  std::vector<std::string> endpoints; ///< "http://HOST:PORT" or https; at least one
  std::string user, password;         ///< empty: no authentication
  session_settings session = {};
};

/// A key as etcd has it.
struct entry {
  std::string key, value;
  std::int64_t revision = 0; ///< of its last change
  std::int64_t lease = 0;    ///< v3: the lease it is on; v2: its seconds to live; 0: it stays
};

struct listing {
  std::int64_t revision = 0; ///< of the whole store: a watch from the next one misses nothing
  std::vector<entry> entries;
};

/// A write of one key.
struct change {
  std::string key;
  std::optional<std::string> value;          ///< null: removes the key
  std::optional<std::int64_t> expected = {}; ///< the revision that it must have; 0: it must be absent; null: any
  bool leased = false;                       ///< it goes with the client's lease
};

struct event {
  entry what; ///< of a removal: key and revision only
  bool removed = false;
};

/// What a watch brought.
struct news {
  enum class condition : std::uint8_t {
    fine,
    lost,      ///< the watch is over: begin one from the next revision
    compacted, ///< the revision is gone: list everything, and watch from there
  };
  std::vector<event> events;
  condition state = condition::fine;
  std::string why; ///< for people, unless fine
};

/// One user of an etcd cluster, with at most one lease and one watch. All members are called by one thread, but for
/// `wake` and `cancel`. Each request tries the endpoints one after the other, each within the session's time-out, and
/// begins with the one that answered last.
///
/// Members throw `failure`: `unavailable` or `deadline_exceeded` if no endpoint served, `forbidden` for credentials
/// and rights, `sub_agent_failed` for other errors of etcd, `too_large`, `cancelled`. A write that threw may have been
/// made.
class client {
public:
  virtual ~client() = default;
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// All keys that begin with a prefix, which ends in "/", in order.
  virtual listing list(std::string_view prefix) = 0;
  virtual std::optional<entry> get(std::string_view key) = 0;

  /// Makes one change. Returns the revision; null, having changed nothing, if the key is not as expected.
  virtual std::optional<std::int64_t> write(const change& what) = 0;
  /// Makes many changes whatever the keys are now, with few requests. Returns the last revision.
  virtual std::int64_t write_all(std::span<const change> all) = 0;
  /// Removes all keys that begin with a prefix, which ends in "/".
  virtual void remove_all(std::string_view prefix) = 0;

  /// Begins a new lease; forgets an earlier one.
  virtual void open_lease(std::chrono::seconds ttl) = 0;
  /// Keeps it for another `ttl`. Returns false if it is no more.
  virtual bool keep_lease() = 0;
  /// Ends it; its keys go.
  virtual void close_lease() = 0;
  /// What `entry::lease` is of a key on the present lease.
  virtual std::int64_t lease() const noexcept = 0;
  /// True for a key that was written on the present lease and by this client.
  virtual bool is_ours(const entry& what) const = 0;

  /// Watches all keys below these prefixes, from a revision on. Replaces an earlier watch.
  virtual void watch(const std::vector<std::string>& prefixes, std::int64_t from) = 0;
  /// Waits until the watch has news, `wake` is called, or the time is over. What it does not understand ends the watch.
  virtual news wait(std::chrono::milliseconds longest) = 0;

  /// Ends `wait`. Thread-safe.
  virtual void wake() noexcept = 0;
  /// Ends the present request, and refuses later ones until `cancel(false)`. Thread-safe.
  virtual void cancel(bool now) noexcept = 0;

protected:
  client() = default;
};

std::unique_ptr<client> make_client(api version, client_settings settings);

} // namespace mistify::rpc::etcd
