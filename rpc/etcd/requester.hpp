#pragma once

#include "rpc/base/error.hpp"
#include "rpc/etcd/client.hpp"
#include "rpc/etcd/http_session.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::rpc::etcd {

/// Requests to whichever endpoint serves. For one thread, as its session.
class requester {
public:
  explicit requester(const client_settings& settings);

  struct parts {
    std::string_view method, path; ///< path: from "/" on
    std::string body;
    std::vector<std::string> headers = {};
  };

  /// Sends to the present endpoint, then to the others. Returns the first reply that `helps` accepts: false means that
  /// another member may do better, such as for "no leader". Throws the failure of the last endpoint, naming it.
  http_reply send(const parts& what, const std::function<bool(const http_reply&)>& helps);

  std::uint64_t open_stream(const parts& what) { return session_.open_stream(request_of(what)); }
  /// The next request begins with the next endpoint.
  void move_on() noexcept { present_ = (present_ + 1) % endpoints_.size(); }
  const std::string& endpoint() const noexcept { return endpoints_[present_]; }
  http_session& session() noexcept { return session_; }

private:
  http_request request_of(const parts& what) const;

  const std::vector<std::string> endpoints_;
  std::size_t present_ = 0;
  http_session session_;
};

} // namespace mistify::rpc::etcd
