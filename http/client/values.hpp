#pragma once

#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"
#include "rpc/model/unmanaged.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Values of the API that only its clients decode; the others are those of rpc/model.
namespace mistify::client {

/// A job without its stages, which are in the answer's text. A code that only newer agents know is `failed`.
struct job : rpc::job {
  bool retryable = false;
};

/// An event of a guest or a job. Members that an event of its type has not are empty.
struct event {
  std::string place; ///< what a reader sends to go on behind it
  std::string type;  ///< "job.ended"; "gap": some events are lost
  std::string data;  ///< its JSON
  std::string guest, job, action, status, message, state, time;
};

/// A bearer token. `secret` is set by the calls that make one, and never again.
struct token {
  std::string id, name, role, created, last_used, expires, secret;
};

/// Who the caller is to the agent.
struct identity {
  std::string name, how, role;
  std::vector<std::string> scopes;
};

/// A change that waits for the guest's next start; the values are JSON text.
struct pending_change {
  std::string member, now, next;
};

/// Reads the JSON text of one value. Throws `failure{not_agent}` for what is no such value.
template <class T>
T decode(std::string_view text);

template <>
rpc::guest decode(std::string_view text);
template <>
std::vector<rpc::guest> decode(std::string_view text);
template <>
rpc::image decode(std::string_view text);
template <>
std::vector<rpc::image> decode(std::string_view text);
template <>
std::vector<rpc::snapshot> decode(std::string_view text);
template <>
job decode(std::string_view text);
template <>
std::vector<job> decode(std::string_view text);
template <>
rpc::metadata_map decode(std::string_view text);
template <>
std::vector<rpc::guest_cpu_metrics> decode(std::string_view text);
template <>
std::map<std::string, rpc::guest_disk_metrics> decode(std::string_view text);
template <>
std::map<std::string, rpc::guest_nic_metrics> decode(std::string_view text);
template <>
token decode(std::string_view text);
template <>
std::vector<token> decode(std::string_view text);
template <>
identity decode(std::string_view text);
template <>
std::vector<pending_change> decode(std::string_view text);
template <>
std::vector<rpc::unmanaged_domain> decode(std::string_view text);
template <>
rpc::json::document decode(std::string_view text);

/// Reads the data of an event; the place and the type stand beside it in the stream.
event decode_event(std::string place, std::string type, std::string data);

/// The text of a member; "" where it is absent or no string.
std::string text_of(const rpc::json::node& object, std::string_view name);

} // namespace mistify::client
