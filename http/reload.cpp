#include "http/reload.hpp"

#include "actors/config/check.hpp"
#include "actors/config/config_files.hpp"
#include "actors/system.hpp"
#include "http/access/client_trust.hpp"
#include "http/access/gatekeeper.hpp"
#include "http/api/running_config.hpp"
#include "http/listening.hpp"
#include "http/process/fd_limit.hpp"
#include "http/server/tls_context.hpp"
#include "rpc/base/log.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace mistify::http {

namespace {

/// Throws for what cannot change while the agent runs.
void expect_same_sockets(const actors::config& before, const actors::config& now) {
  // Every client that is connected, or that a socket of the service manager admits, would become an admin.
  if (!now.access && before.access)
    throw rpc::failure{rpc::errc::config_invalid, "access cannot be taken away while the agent runs"};
  if (now.tls.has_value() != before.tls.has_value())
    throw rpc::failure{rpc::errc::config_invalid, "tls can be added or taken away at a start only"};
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names)
    all.append(all.empty() ? "" : ", ").append(name);
  return all;
}

/// Logs each mistake of files that cannot be used, with its line. Never throws: the files may change or go away, and the
/// agent goes on without them.
void tell_mistakes(const std::filesystem::path& path) noexcept {
  constexpr std::size_t most = 100;
  try {
    const auto report = actors::check_config(path);
    const auto shown = std::min(report.mistakes.size(), most);
    for (std::size_t i = 0; i < shown; ++i)
      rpc::log::warning("a mistake in the config", {{"where", report.mistakes[i].text()}});
    if (shown < report.mistakes.size())
      rpc::log::warning("more mistakes in the config", {{"count", std::to_string(report.mistakes.size() - shown)}});
  } catch (const std::exception& e) {
    rpc::log::warning("the config cannot be checked", {{"reason", e.what()}});
  }
}

/// The bound of connections is the start's; more calls to sub-agents may leave too few descriptors for it.
void warn_if_short_of_descriptors(const reloadable_agent& what, const actors::config& now) {
  const auto fit = connections_that_fit(what.max_connections, raise_descriptor_limit(), now.calls_at_a_time());
  if (fit < what.max_connections)
    rpc::log::warning("the limit of open files leaves room for " + std::to_string(fit) + " connections, of " +
                      std::to_string(what.max_connections) + " that may come: a restart lowers that");
}

/// Nothing of this may fail halfway: what can be wrong with a config was found before.
void apply(const reloadable_agent& what, std::shared_ptr<const actors::config> now, const identity_rules& rules) {
  const auto& config = *now;
  what.agent.apply(now);
  if (rules.tls)
    what.front_door.replace_tls(rules.tls);
  what.gate.replace(rules.rights);
  if (!what.front_door.set_socket_mode(socket_mode_of(config))) // behind the rights: it may let more people in
    rpc::log::warning("the mode of the agent's unix socket cannot be changed: a restart does");
  what.front_door.set_limits(limits_of(config, what.max_connections));
  begin_log(config.log.level.empty() ? what.wanted.log_level : config.log.level, config.log);
}

void read_and_apply(const reloadable_agent& what) {
  const auto files = actors::read_config_texts(what.wanted.config_file);
  const auto now = std::make_shared<const actors::config>(read_config(what.wanted, files));
  expect_same_sockets(*what.settings.get(), *now);
  static_cast<void>(choose_sockets(what.wanted, *now)); // a restart has to be able to use it too
  const auto rules = read_rules(*now, files);
  const auto waiting = what.known.read_again(files);
  apply(what, now, rules);
  rpc::log::audit("config read again", {{"level", std::string{rpc::log::level()}}});
  for (const auto& warning : now->warnings)
    rpc::log::warning(warning);
  warn_if_short_of_descriptors(what, *now);
  if (!waiting.empty())
    rpc::log::warning("the config has changes that only a restart applies", {{"members", joined(waiting)}});
}

} // namespace

identity_rules::identity_rules(const actors::config& config)
  : trust{std::make_shared<const client_trust>(config)}, tls{config.tls
                                                               ? std::make_shared<const tls_context>(*config.tls, trust)
                                                               : nullptr},
    rights{std::make_shared<const policy>(config, trust)} {}

identity_rules read_rules(const actors::config& config, const actors::config_texts& files) try {
  return identity_rules{config};
} catch (const rpc::failure& e) {
  throw rpc::failure{e.code(), actors::place_mistake(files, e.message()).text()};
}

actors::config read_config(const daemon_options& wanted, const actors::config_texts& files) {
  auto config = actors::parse_config(files);
  if (config.access && (config.debug_given || config.reports_given))
    config.warnings.emplace_back("debug.access and reports.access do not count: access says who may do what");
  config.import_from = wanted.import_from;
  return config;
}

void begin_log(const std::string& wanted, const actors::log_options& config) {
  constexpr auto usual = "warning";
  rpc::log::set_level(!wanted.empty() ? wanted : !config.level.empty() ? config.level : usual);
  rpc::log::set_audit(config.audit);
}

mode_t socket_mode_of(const actors::config& config) noexcept {
  return config.access ? 0666 : 0660;
}

server_limits limits_of(const actors::config& config, std::size_t max_connections) {
  const auto& limit = config.limit;
  const auto half = std::max<std::size_t>(1, max_connections / 2);
  return {limit.connections_of_one > 0 ? limit.connections_of_one : half, limit.event_readers_of_one,
          limit.waiting_bytes, limit.least_rate};
}

void reload(const reloadable_agent& what) noexcept {
  try {
    read_and_apply(what);
  } catch (const std::exception& e) {
    rpc::log::warning("the config cannot be read again", {{"reason", e.what()}});
    tell_mistakes(what.wanted.config_file);
  }
}

} // namespace mistify::http
