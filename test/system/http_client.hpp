#pragma once

#include "test/http/raw_client.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::test {

/// A response of the agent.
struct response : raw_answer {
  /// Returns a header by its lower-case name; "" if absent.
  std::string header(const std::string& name) const;
  /// Returns the id of the job that the request queued; "" if none.
  std::string job() const { return header("x-guest-job-id"); }
};

using header_list = std::vector<std::string>; ///< "Name: value"

/// Returns the bytes of a request, with a length if there is a body or one is required.
std::string request_text(std::string_view method, std::string_view path, std::string_view body = "",
                         const header_list& headers = {});

/// Sends requests to the agent, each on its own connection; any thread may use it.
class http_client {
public:
  explicit http_client(std::uint16_t port) : port_{port} {}

  /// By the client library, as users do. A response that is not whole has status 0.
  response send(std::string_view method, std::string_view path, std::string_view body = "",
                const header_list& headers = {}) const;
  response get(std::string_view path, const header_list& headers = {}) const { return send("GET", path, "", headers); }
  response post(std::string_view path, std::string_view body = "") const { return send("POST", path, body); }
  response put(std::string_view path, std::string_view body) const { return send("PUT", path, body); }
  response patch(std::string_view path, std::string_view body) const { return send("PATCH", path, body); }
  response del(std::string_view path) const { return send("DELETE", path); }

  /// Sends the bytes unchanged and reads one response as it comes: for requests that the library would not send, and
  /// responses that end early.
  response send_raw(std::string_view bytes) const;

  std::uint16_t port() const noexcept { return port_; }

private:
  std::uint16_t port_;
};

} // namespace mistify::test
