#pragma once

#include "http_client.hpp"
#include "test/http/raw_client.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::test {

/// A received event.
struct told_event {
  std::string id, type, data; ///< all empty: no event arrived in time
  std::string place;          ///< the id with its epoch, which a reader sends when it reconnects
};

/// A client of /events. It uses HTTP/1.0, so that the body is not chunked.
class event_reader {
public:
  /// Connects and reads the starting position. Throws if the agent does not answer 200.
  explicit event_reader(std::uint16_t port, const std::string& query = "", const header_list& headers = {});

  /// Waits for the next event and returns it.
  told_event next();
  /// Returns the events up to and including the first one of that type.
  std::vector<told_event> until(std::string_view type);
  /// The position at which the stream began.
  const std::string& place() const noexcept { return place_; } ///< its number
  /// Returns true if the agent ends the stream without further events.
  bool ends();

private:
  std::string block();

  raw_client client_;
  std::string place_;
};

} // namespace mistify::test
