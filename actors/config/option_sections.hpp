#pragma once

#include "actors/config/config.hpp"
#include "rpc/base/json.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The objects of a config file that hold plain options, each by itself: `limits`, `http`, `log`, `host`, and `debug` and
/// `reports`. They throw as config/field_readers.hpp says.
namespace mistify::actors {

/// The file that is being read.
struct config_source {
  const std::string& file;
  std::vector<std::string>& warnings; ///< of the config, see `config::warnings`

  /// Adds a warning. `where` ends in a dot, or is empty.
  void warn_unknown(const std::string& where, std::string_view key) const;
};

void read_limits(const rpc::json::node& value, const config_source& from, limits& limit);
void read_http(const rpc::json::node& value, const config_source& from, http_options& http);
void read_log(const rpc::json::node& value, const config_source& from, log_options& log);
host_options read_host(const rpc::json::node& value, const config_source& from);

/// Reads the one member `access` of `debug` or `reports`, which is the `name`.
void read_clients(std::string_view name, const rpc::json::node& value, const config_source& from, clients& allowed);

} // namespace mistify::actors
