#pragma once

#include "rpc/base/json.hpp"
#include "rpc/etcd/client.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The JSON of etcd's v3 gateway: keys and values are base64, 64-bit integers are strings, and members that are false,
/// 0 or empty are absent. Readers throw `failure{sub_agent_failed}` for what is no such JSON.
namespace mistify::rpc::etcd::v3 {

/// The end of the range of all keys with this prefix.
std::string end_of(std::string_view prefix);

std::string range_request(std::string_view key, std::string_view end, std::int64_t limit, std::int64_t revision);
std::string remove_request(std::string_view key, std::string_view end);
/// One transaction: all changes, if each key is as expected.
std::string transaction(std::span<const change> changes, std::int64_t lease);
std::string watch_request(const std::vector<std::string>& prefixes, std::int64_t from);
std::string lease_request(std::string_view name, std::int64_t value); ///< {"NAME":"VALUE"}
std::string login_request(std::string_view user, std::string_view password);

struct range_answer {
  std::int64_t revision = 0;
  std::vector<entry> entries;
  bool more = false;
};
range_answer read_range(std::string_view body);

struct transaction_answer {
  std::int64_t revision = 0;
  bool succeeded = false;
};
transaction_answer read_transaction(std::string_view body);

/// An integer member of the answer, or of its `result`; 0 if absent.
std::int64_t read_number(std::string_view body, std::string_view member);
std::string read_text(std::string_view body, std::string_view member);

/// Adds what one line of a watch says.
void read_watch_line(std::string_view line, news& to);

/// The error text of an answer; the start of the body if there is none.
std::string read_error(std::string_view body);

} // namespace mistify::rpc::etcd::v3
