#pragma once

#include "child.hpp"
#include "http_link.hpp"
#include "wrk.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace mistify::bench {

/// The duration and number of measurements.
struct extent {
  std::chrono::seconds length{3}; ///< of one measurement
  int rounds = 5;                 ///< pairs of measurements
  std::chrono::seconds idle{10};
  std::size_t download = std::size_t{1} << 30; ///< bytes
};

struct database_size {
  std::size_t guests = 0, jobs = 0;
  auto operator<=>(const database_size&) const = default;
};

class agent;

/// A TLS listener of an agent, beside its plain one.
struct tls_listener {
  std::uint16_t port = 0; ///< 0: none
  std::string cert = {}, key = {};
};

enum class disk : std::uint8_t { as_it_is, slow };

/// Shared by all rows: a folder on the build's disk, a fast sub-agent, and initial databases.
class lab {
public:
  explicit lab(extent how_much);
  ~lab();
  lab(const lab&) = delete;
  lab& operator=(const lab&) = delete;

  extent how_much;

  const std::string& folder() const noexcept { return folder_; }
  std::uint16_t sub_agent_port() const noexcept { return sub_agent_port_; }
  /// No socket listens there until a row starts a sub-agent.
  std::uint16_t hanging_port() const noexcept { return hanging_port_; }

  child start_sub_agent(std::uint16_t port) const;
  /// Starts a bare server on `port` for `path`; `words` are further arguments.
  child start_bare(std::uint16_t port, const std::string& path, const std::vector<std::string>& words) const;
  /// Starts an agent on a copy of a database of that size, and waits for its first response.
  agent start_agent(const database_size& size, disk on = disk::as_it_is);
  agent start_agent(const database_size& size, const tls_listener& with);

  std::string write(const std::string& name, std::string_view text) const;
  std::string file(const std::string& name) const { return folder_ + '/' + name; }

  wrk_figures wrk(std::uint16_t port, const std::string& path, const std::string& script = {}) const {
    return run_wrk({port, path, how_much.length, false, script}, folder_);
  }
  wrk_figures wrk_tls(std::uint16_t port, const std::string& path) const {
    return run_wrk({port, path, how_much.length, true}, folder_);
  }

private:
  std::string seeded(const database_size& size);
  agent start(const database_size& size, disk on, const tls_listener& with);

  std::string folder_;
  std::uint16_t sub_agent_port_, hanging_port_;
  std::unique_ptr<child> sub_agent_;
  std::map<database_size, std::string> seeds_;
  int agents_ = 0;
};

/// A serving agent on a database of its own.
class agent {
public:
  /// `path` is what shows that it serves.
  agent(std::string config, std::string output, disk on, std::string path);

  std::uint16_t port() const noexcept { return port_; }
  pid_t id() const noexcept { return process_->id(); }

  /// Kills the agent with SIGKILL and restarts it. Returns the time until the first response to a read of a guest, or,
  /// where there are none, of the list.
  std::chrono::nanoseconds kill_and_start();

private:
  void start();

  std::string config_, output_, path_;
  disk disk_;
  std::uint16_t port_;
  std::unique_ptr<child> process_;
};

/// Waits until a server answers `path`; throws if it exits or does not answer.
void wait_for_answer(child& server, std::uint16_t port, const std::string& path);

} // namespace mistify::bench
