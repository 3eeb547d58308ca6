#pragma once

#include "rpc/etcd/client.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The JSON and the forms of etcd's v2 API. Readers throw `failure{sub_agent_failed}` for what is no such JSON.
namespace mistify::rpc::etcd::v2 {

/// Escapes for a form or, keeping slashes, for a path.
std::string escape(std::string_view text, bool is_path = false);

/// The keys of an answer's node, those of its folders too.
std::vector<entry> read_entries(std::string_view body);

/// What an event changed: `compacted` for a whole folder, whose keys the event does not name.
struct change_event {
  event what;
  bool whole_folder = false;
};
change_event read_event(std::string_view body);

struct error {
  std::int64_t code = 0; ///< etcd's errorCode; 0: none
  std::string text;
};
error read_error(std::string_view body);

namespace codes {
inline constexpr std::int64_t key_not_found = 100, compare_failed = 101, key_exists = 105, index_cleared = 401;
} // namespace codes

} // namespace mistify::rpc::etcd::v2
