#pragma once

#include "http_client.hpp"
#include "test/http/raw_client.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::test {

/// An event as it came.
struct told_event {
  std::string id, type, data; ///< all empty: none came in time
  std::string place;          ///< the id with its epoch, as a reader that comes back names it
};

/// A client of /events. It asks with HTTP/1.0, so that what comes is nothing but the events.
class event_reader {
public:
  /// Connected, and at its place, when it returns. Throws where the agent does not answer 200.
  explicit event_reader(std::uint16_t port, const std::string& query = "", const header_list& headers = {});

  /// The next event; waits for it.
  told_event next();
  /// Up to and with the first one of that type.
  std::vector<told_event> until(std::string_view type);
  /// The event it began behind.
  const std::string& place() const noexcept { return place_; } ///< its number
  /// True when the agent ends it, without more events.
  bool ends();

private:
  std::string block();

  raw_client client_;
  std::string place_;
};

} // namespace mistify::test
