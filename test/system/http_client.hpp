#pragma once

#include "test/http/raw_client.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::test {

/// An answer of the agent.
struct response : raw_answer {
  /// A header by its lower-case name, "" if absent.
  std::string header(const std::string& name) const;
  /// The id of the job that the request queued, "" if it did not.
  std::string job() const { return header("x-guest-job-id"); }
};

using header_list = std::vector<std::string>; ///< "Name: value"

/// The bytes of a request, with a length where there is or has to be a body.
std::string request_text(std::string_view method, std::string_view path, std::string_view body = "",
                         const header_list& headers = {});

/// Asks the agent, each time on a connection of its own: any thread may use it. It has no opinion of what it sends and
/// hides nothing of what comes, so that tests see what is really on the wire.
class http_client {
public:
  explicit http_client(std::uint16_t port) : port_{port} {}

  response send(std::string_view method, std::string_view path, std::string_view body = "",
                const header_list& headers = {}) const;
  response get(std::string_view path, const header_list& headers = {}) const { return send("GET", path, "", headers); }
  response post(std::string_view path, std::string_view body = "") const { return send("POST", path, body); }
  response put(std::string_view path, std::string_view body) const { return send("PUT", path, body); }
  response patch(std::string_view path, std::string_view body) const { return send("PATCH", path, body); }
  response del(std::string_view path) const { return send("DELETE", path); }

  /// Sends the bytes as they are and reads one answer.
  response send_raw(std::string_view bytes) const;

  std::uint16_t port() const noexcept { return port_; }

private:
  std::uint16_t port_;
};

} // namespace mistify::test
