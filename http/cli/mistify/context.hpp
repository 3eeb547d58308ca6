#pragma once

#include "http/cli/mistify/command.hpp"
#include "http/cli/mistify/output.hpp"
#include "http/client/client.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::cli {

/// What a running command has: its command line and, from the first use on, a connection to the agent.
struct context {
  context(const command& c, arguments a) : of{c}, args{std::move(a)} {}

  const command& of;
  arguments args;

  client::client& agent();
  /// Returns another client, for requests that run in parallel with those of the first.
  std::unique_ptr<client::client> another_agent();

  /// --as, -o and --sort. Throws `give_up{usage}` for an unknown format.
  layout output(format usual, std::vector<std::string> columns) const;

  /// A number of an option; null where it is not given. Throws `give_up{usage}` for what is none from `least` to `most`.
  std::optional<std::uint64_t> number(std::string_view option, std::uint64_t least, std::uint64_t most) const;

private:
  std::optional<client::settings> settings_;
  std::unique_ptr<client::client> agent_;
};

/// Where the agent is and who the caller is, by options and, behind them, the environment. Asks the cluster where the
/// agent is named by its host. Throws `give_up`.
client::settings settings_of(const arguments& args);

/// Certificates and time-out only: for other servers than the one agent.
client::settings link_of(const arguments& args);

/// The option, else the environment's variable; a variable that is empty is none.
std::string chosen(const arguments& args, std::string_view option, const char* variable);

/// Throws `give_up{usage}` for a value of the option that is no KEY=VALUE.
void expect_pairs(const arguments& args, std::string_view option);

/// As `context::number`.
std::optional<std::uint64_t> number_of(const arguments& args, std::string_view option, std::uint64_t least,
                                       std::uint64_t most);

} // namespace mistify::cli
