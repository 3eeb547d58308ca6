#pragma once

#include "actors/config/current_config.hpp"
#include "actors/config/merge.hpp"
#include "http/daemon.hpp"
#include "http/server/server.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <sys/types.h>

namespace mistify::actors {
class agent_system;
}

namespace mistify::http {

class client_trust;
class gatekeeper;
class policy;
class running_config;
class tls_context;

/// What a config and the files that it names say about clients, read as a whole. Throws `failure{config_invalid}`.
struct identity_rules {
  explicit identity_rules(const actors::config& config);

  std::shared_ptr<const client_trust> trust;
  std::shared_ptr<const tls_context> tls; ///< null: TCP is plain
  std::shared_ptr<const policy> rights;
};

/// Reads the texts as a start does. Throws `failure{config_invalid}`.
actors::config read_config(const daemon_options& wanted, const actors::config_texts& files);

/// The rules of a config that was read from `files`. The message of a failure begins with file and line of the member.
identity_rules read_rules(const actors::config& config, const actors::config_texts& files);

/// Sets the log's level and audit: the level of the command line, else the config's.
void begin_log(const std::string& wanted, const actors::log_options& config);

/// Returns the mode of the agent's unix sockets: 0666 with `access`, whose rules judge each client; else 0660, since every
/// client may do everything.
mode_t socket_mode_of(const actors::config& config) noexcept;

/// The bounds of the server that SIGHUP changes, for one that was started with `max_connections`.
server_limits limits_of(const actors::config& config, std::size_t max_connections);

/// The parts of a running agent that SIGHUP changes. All of them outlive this.
struct reloadable_agent {
  const daemon_options& wanted;
  const actors::current_config& settings;
  actors::agent_system& agent;
  gatekeeper& gate;
  server& front_door;
  running_config& known;
  std::size_t max_connections; ///< of the start
};

/// Reads the config again and applies what may change while the agent runs: actions, services, limits, who may do what,
/// certificates, keys and revocations, the log's settings. A log level that the config does not name goes back to that of
/// the start. A config or file that cannot be used changes nothing; the log has each of its mistakes. For one thread; never
/// throws.
void reload(const reloadable_agent& what) noexcept;

} // namespace mistify::http
