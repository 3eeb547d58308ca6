#pragma once

#include "http/client/transport.hpp"
#include "rpc/etcd/client.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::client {

/// Where an etcd is, and as whom to read it.
struct etcd_settings {
  std::vector<address> members; ///< http or https; at least one
  rpc::etcd::api api = rpc::etcd::api::v3;
  std::string user, password;                ///< empty: no authentication
  std::string ca_file, cert_file, key_file;  ///< as those of `settings`
  std::chrono::milliseconds timeout{30'000}; ///< of all calls of `list`; one request has 5 s at a member
};

/// Reads the keys of an etcd, 3.4 or later. In place of `rpc::etcd::client`, which watches and writes: its libcurl takes
/// longer to load than this command to run. For one thread.
class etcd_reader {
public:
  /// Sends nothing yet.
  explicit etcd_reader(etcd_settings how);

  /// All keys that begin with a prefix, which ends in "/", by name, all of one revision; at most 200,000 keys and 64 MB.
  /// Asks the members one after the other, beginning with the one that answered last. Throws `failure`: the last
  /// member's, or `refused` (status 403) for credentials and rights, or `not_agent` for other answers.
  std::vector<rpc::etcd::entry> list(std::string_view prefix);

private:
  using clock = std::chrono::steady_clock;
  struct request {
    std::string method, target, body;
    bool with_login = true;
  };

  std::vector<rpc::etcd::entry> list_v3(std::string_view prefix);
  std::vector<rpc::etcd::entry> list_v2(std::string_view prefix);
  reply send(const request& what);
  reply send_to(std::size_t member, const request& what);
  void log_in();
  [[noreturn]] void fail(const reply& got, const std::string& why) const;

  const etcd_settings how_;
  std::vector<std::unique_ptr<transport>> links_; ///< to the members; null until one is needed
  std::size_t present_ = 0;
  std::string authorization_;              ///< the header; empty: none
  std::optional<clock::time_point> until_; ///< from the first call on
};

} // namespace mistify::client
