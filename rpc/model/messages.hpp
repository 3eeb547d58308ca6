#pragma once

#include "rpc/model/codec.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// Requests to sub-agents and their responses, for authors of sub-agents. Every type here has
///   void decode(const json::node&, T&)   throws `failure{invalid_request}` that names the field
///   std::string encode(const T&)         compact JSON text
/// so that `server::handle` can read and write it; an author's own types need the same two.
namespace mistify::rpc {

/// Params of every guest action. `action` is the name in the agent's config, such as "containerReboot".
struct guest_request {
  mistify::rpc::guest guest;
  std::string action;
  metadata_map args;
  std::string params = {}; ///< what the client asks for beside the action, a JSON object as text; empty: nothing
  bool again = false;      ///< the stage was called before: look what came of it, and set nothing going
};

/// How many seconds the guest may take, by the params of the client, else by the args of the stage; null if neither says.
/// A stage that is given such a time answers `retry` until it is done.
std::optional<std::uint64_t> wait_of(const guest_request& request);

/// The guest as it is now; the agent stores it. `retry` requests another call after that many seconds; 0: none.
struct guest_response {
  mistify::rpc::guest guest;
  std::string message = {};
  std::uint64_t retry = 0;
};

/// Params of cpuMetrics, diskMetrics and nicMetrics; `type` is "cpu", "disk" or "nic".
struct guest_metrics_request {
  mistify::rpc::guest guest;
  std::string type;
  metadata_map args;
};

/// The figures of one kind; the two others stay empty and are left out. Disks and nics are keyed by name.
struct guest_metrics_response {
  mistify::rpc::guest guest;
  std::string type;
  std::map<std::string, guest_disk_metrics> disk = {};
  std::map<std::string, guest_nic_metrics> nic = {};
  std::vector<guest_cpu_metrics> cpu = {};
};

struct image_response {
  std::vector<image> images;
};

struct snapshot_response {
  std::vector<snapshot> snapshots;
};

/// A volume to be made or looked at. `size` is in MB.
struct volume_request {
  std::string id;
  std::uint64_t size = 0;
};

struct volume {
  std::string id;
  std::uint64_t size = 0; ///< MB
  std::string device;
};

struct volume_response {
  std::vector<volume> volumes;
};

void decode(const json::node& from, guest_request& to);
void decode(const json::node& from, guest_response& to);
void decode(const json::node& from, guest_metrics_request& to);
void decode(const json::node& from, guest_metrics_response& to);
void decode(const json::node& from, image_response& to);
void decode(const json::node& from, snapshot_response& to);
void decode(const json::node& from, volume_request& to);
void decode(const json::node& from, volume& to);
void decode(const json::node& from, volume_response& to);
inline void decode(const json::node& from, guest& to) {
  to = decode_guest(from);
}
inline void decode(const json::node& from, image_request& to) {
  to = decode_image_request(from);
}
inline void decode(const json::node& from, snapshot_request& to) {
  to = decode_snapshot_request(from);
}

std::string encode(const guest_request& value);
std::string encode(const guest_response& value);
std::string encode(const guest_metrics_request& value);
std::string encode(const guest_metrics_response& value);
std::string encode(const image_response& value);
std::string encode(const snapshot_response& value);
std::string encode(const volume_request& value);
std::string encode(const volume& value);
std::string encode(const volume_response& value);

} // namespace mistify::rpc
