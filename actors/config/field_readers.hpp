#pragma once

#include "rpc/base/json.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>

/// Members of the config that need more than their JSON type. `field` names the member in messages. What has the wrong
/// type throws `failure{invalid_request}`, what is out of bounds `failure{config_invalid}`.
namespace mistify::actors {

/// Throws `failure{config_invalid}`. Names in the config may contain line ends; the error message is one line.
[[noreturn]] void refuse_config(std::string why);

/// Reads seconds, with fractions as in `"timeout": 2.5`: up to a year.
std::chrono::milliseconds read_seconds(const rpc::json::node& value, const std::string& field);

/// From 1 to 2147483647.
std::size_t read_count(const rpc::json::node& value, const std::string& field);

/// Like `read_count`, for bounds for which 0 means no bound, or the default.
std::size_t read_count_or_zero(const rpc::json::node& value, const std::string& field);

/// Reads a factor; bounded so that products with sizes fit into 64 bits.
double read_ratio(const rpc::json::node& value, const std::string& field);

/// An absolute path that fits into a socket's address.
std::string read_socket(const rpc::json::node& value, const std::string& field);

/// The name of a user of this machine, or a uid.
uid_t read_user(const rpc::json::node& value, const std::string& field);

/// Compares without case: keys that restrict access are refused in any spelling.
bool is_name(std::string_view key, std::string_view name);

/// The parts of a config whose keys the original read.
enum class original_part : std::uint8_t { config, service, action, stage };

/// A key of the original in the case that it is known in: its files may have it in any (Go's decoder does not look at case).
/// Returns other keys unchanged.
std::string_view original_key(original_part of, std::string_view key);

} // namespace mistify::actors
