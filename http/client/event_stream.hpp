#pragma once

#include "http/client/client.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace mistify::client {

/// Takes a text/event-stream apart, in pieces of any size.
class event_parser {
public:
  struct block {
    std::string place; ///< the id; "" where the block has none
    std::string type;  ///< "message" where the block has none
    std::string data;  ///< "" where the block is no event
  };

  /// Calls `to` with each block that the piece completes; returns false once `to` does. Throws `failure{not_agent}` for
  /// a block over 1 MB.
  bool feed(std::string_view piece, const std::function<bool(const block&)>& to);
  /// Forgets a block that has begun.
  void reset() { *this = {}; }

private:
  void take_line(std::string_view line);
  std::string line_;
  block now_;
  std::size_t size_ = 0;
};

/// Reads /events from an agent, and reads on behind the last event after a connection that broke, so that none is missed
/// and none comes twice.
class event_stream {
public:
  /// `filter`: guest, action, type. `behind`: the place to begin behind; "": now.
  event_stream(client& from, query filter, std::string behind = {});

  /// Calls `to` with each event until it returns false. `opened` is called once the first connection stands: what happens
  /// from then on is an event. Throws `failure` where the agent refuses, or has been away for `client::outage`.
  void read(const std::function<bool(const event&)>& to, const std::function<void()>& opened = {});

  /// What to begin behind to go on where `read` ended.
  const std::string& place() const noexcept { return place_; }

private:
  bool take(const event_parser::block& one, const std::function<bool(const event&)>& to);
  bool connect(const std::function<bool(const event&)>& to, const std::function<void()>& opened);

  client& from_;
  query filter_;
  std::string place_;
  event_parser parser_;
};

} // namespace mistify::client
