#pragma once

#include "http/protocol/header_fields.hpp"
#include "http/protocol/path_captures.hpp"
#include "http/protocol/peer.hpp"
#include "rpc/base/cancellation.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <variant>
#include <vector>

namespace mistify::store {
struct audit_entry;
}

namespace mistify::http {

struct principal;

/// A parameter of a query, decoded.
struct query_parameter {
  std::string name;
  std::string value = {};
  bool bare = false; ///< came without a "="; the value is empty then
};

/// A request as handlers see it.
struct request {
  std::string method;     ///< a HEAD is handed over as GET, see `head_only`
  bool head_only = false; ///< the client asked with HEAD: the server leaves the body out
  std::string path;       ///< as sent, without the query, not decoded
  std::string authority;  ///< "host:port" of an absolute-form target; empty: the Host header has it
  /// The path split at its slashes, then percent-decoded: "/a/b%2Fc/" is {"a", "b/c"}. One trailing slash does not
  /// count; an empty segment in the middle is kept. Never holds NUL bytes.
  std::vector<std::string> segments;
  std::vector<query_parameter> query; ///< sorted by name; those of one name in the order in which they were sent
  header_fields headers;
  std::string body;
  std::string peer;                                     ///< address of the client, from the socket
  peer_ptr client;                                      ///< who is at the other end of the connection
  std::shared_ptr<const principal> who;                 ///< set before a handler sees the request; never null there
  std::string id;                                       ///< names the request in logs: X-Request-ID, or made up
  path_captures captures;                               ///< the segments of the path that the route names
  std::shared_ptr<const store::audit_entry> audit = {}; ///< commits with what the request changes; null: not audited

  /// The value of a header by its lower-case name, "" if absent.
  std::string_view header(std::string_view name) const;
  /// The first query parameter of that name, or its value; null if absent.
  const query_parameter* find_parameter(std::string_view name) const noexcept;
  const std::string* parameter(std::string_view name) const noexcept;

  /// Frees what an answered request holds, but for small texts, whose memory serves the next one.
  void release();
};

/// Where a download writes. Called on one thread of the server's download pool; `write` blocks while the client is not
/// ready and returns false once the client has gone or stalls for too long.
class download_channel {
public:
  virtual ~download_channel() = default;
  /// Sends the head of a 200 answer; bytes may follow. `content_length` -1: not known, sent in chunks.
  virtual void begin(std::int64_t content_length) = 0;
  /// False as well when more bytes come than `begin` announced, and after HEAD, which takes none.
  virtual bool write(std::string_view bytes) = 0;
  /// Moves up to `most` bytes from a socket to the client without looking at them; as recv(2) on `source`. Nothing where
  /// `write` would say false.
  virtual std::optional<ssize_t> relay(int source, std::size_t most) = 0;
  /// Fires when the client goes away, or the server ends, while nothing is being written. Its actions run on a worker.
  virtual const rpc::cancellation& client_gone() const = 0;
};

/// A body without end that grows as things happen. It is asked for more on a worker, whenever what it gave before has
/// gone out, and by one thread at a time; in between nobody waits for it. Its end is the end of the connection.
class streaming_body {
public:
  virtual ~streaming_body() = default;
  /// What is to be sent next, some KiB; "" while there is nothing. May read the disk. Throws where it cannot go on.
  virtual std::string next() = 0;
  /// What is sent when nothing was for a while: so that a client that has gone is noticed.
  virtual std::string idle() = 0;
  /// From here on `wake` is called when there may be more, on any thread.
  virtual void on_more(std::function<void()> wake) = 0;
};

struct answer;

/// Runs a download to its end. Before `begin` it may instead return an ordinary answer (an error); after it, the
/// returned answer's status says only whether the end was clean: 200 finishes the transfer, anything else breaks it off.
using download = std::function<answer(download_channel&)>;

/// Which threads run a download, so that one kind does not hold up another.
enum class stream_kind : std::uint8_t {
  data, ///< a download, and counted as one
  page, ///< that the agent makes itself
  log,  ///< may go on without end
};

/// A body that several answers have. Not null.
using shared_text = std::shared_ptr<const std::string>;

/// A body that is written while it is sent, by a thread that it has to itself.
struct streamed {
  download run;
  stream_kind kind = stream_kind::data;
  std::function<bool()> live_while = {}; ///< asked each second, on a worker: false breaks it off. Empty: never
};

/// A body without end.
struct growing {
  std::shared_ptr<streaming_body> source; ///< not null
  std::function<bool()> live_while = {};  ///< asked each second, on a worker: false ends it. Empty: never
  std::string share = {};                 ///< whose share of open-ended answers it takes; empty: the connection's
};

using answer_body = std::variant<std::string, shared_text, streamed, growing>;

/// What an answer is about, where it changed something: for the audit.
struct answer_subject {
  std::string guest, job, action;
  bool repeated = false; ///< nothing was done: an earlier, same request did it
  bool audited = false;  ///< the audit's entry was committed with the change
};

/// What goes back to the client. The server adds Content-Length, Connection, Vary and Content-Encoding by itself; control
/// characters in header values become spaces, headers whose names are no tokens are left out.
struct answer {
  int status = 200;
  answer_body body;
  std::string_view content_type = "application/json"; ///< of a literal, or of what outlives the answer as well
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<answer_subject> about; ///< does not go to the client; null: it is about nothing

  /// The bytes of a text, shared or not; "" of a body that is made while it is sent.
  std::string_view text() const noexcept;
  /// What the answer is about, to be filled in.
  answer_subject& subject() { return about ? *about : about.emplace(); }
};

} // namespace mistify::http
