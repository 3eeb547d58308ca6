#pragma once

#include "rpc/base/unique_fd.hpp"
#include "test/system/temp_dir.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace mistify::test {

/// A real etcd of one or more members on loopback, for the duration of a test. Other test programs do not take its ports
/// while a member is down. Throws std::runtime_error if etcd is not installed or does not serve in time.
class real_etcd {
public:
  struct options {
    std::size_t members = 1;
    std::vector<std::string> arguments = {}; ///< further ones of each member, such as "--enable-v2"
    std::string scheme = "http";             ///< of clients' URLs
  };

  real_etcd() : real_etcd(options{}) {}
  explicit real_etcd(options wanted);
  ~real_etcd();
  real_etcd(const real_etcd&) = delete;
  real_etcd& operator=(const real_etcd&) = delete;

  /// Clients' URLs, one a member.
  const std::vector<std::string>& urls() const noexcept { return urls_; }

  void kill(std::size_t member);         ///< at once, as if its machine lost power; its disk stays
  void start(std::size_t member);        ///< returns when it serves
  void start_all();                      ///< members that were killed; returns when all serve
  void freeze(std::size_t member) const; ///< it answers nothing, and keeps its connections: as a partition looks
  void thaw(std::size_t member) const;
  std::size_t leader() const; ///< which member leads

  /// Runs etcdctl (v3) with the URL of a member that lives. Returns what it printed; throws if it failed.
  std::string ctl(const std::string& arguments) const;

  /// Returns the body of GET PATH of the first member.
  std::string fetch(const std::string& path) const;

private:
  void launch(std::size_t member);
  void await(std::size_t member) const;

  const options options_;
  temp_dir folder_;
  std::vector<rpc::unique_fd> claims_; // to the ports, until the end
  std::vector<std::uint16_t> ports_, peer_ports_;
  std::vector<std::string> urls_;
  std::vector<pid_t> pids_;
};

} // namespace mistify::test
