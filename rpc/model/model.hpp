#pragma once

#include "rpc/base/time.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mistify::rpc {

/// String pairs a client may attach to a guest or to the hypervisor.
using metadata_map = std::map<std::string, std::string, std::less<>>;

/// A PATCH of metadata: a value sets the key, null deletes it.
using metadata_patch = std::map<std::string, std::optional<std::string>, std::less<>>;

/// Unknown JSON members: key to compact JSON text, numbers exactly as received. Stored and passed on.
using unknown_fields = std::map<std::string, std::string, std::less<>>;

/// A network interface of a guest.
struct nic {
  std::string name, network, model, mac, address, netmask, gateway, device;
  std::optional<std::vector<std::int64_t>> vlans; ///< `null` on the wire when unset
  unknown_fields extra;

  bool operator==(const nic&) const = default;
};

/// A disk of a guest. `size` is in MB.
struct disk {
  std::string bus, device;
  std::uint64_t size = 0;
  std::string volume, image, source;
  unknown_fields extra;

  bool operator==(const disk&) const = default;
};

/// A virtual machine or a container. `memory` is in MB.
struct guest {
  std::string id, type, image;
  std::vector<nic> nics;
  std::vector<disk> disks;
  std::string state;
  std::string
    state_reason;     ///< why it is in that state, at most 64 bytes: "shutdown", "io-error:ENOSPC:vda"; may be empty
  std::string wanted; ///< "on" or "off": what was asked for last; empty: nothing yet
  std::uint64_t memory = 0, cpu = 0;
  std::int64_t vnc = 0;
  metadata_map metadata;
  unknown_fields extra;

  bool operator==(const guest&) const = default;
};

/// An image as a store lists it. `size` is in MB.
struct image {
  std::string id, type, volume, snapshot;
  std::uint64_t size = 0;
  std::string status;
};

/// A client's request to an image store.
struct image_request {
  std::string id, type, dest, source;
  unknown_fields extra; ///< `name` and `opts` of container images pass through here
};

/// A snapshot; `size` is in MB.
struct snapshot {
  std::string id;
  std::uint64_t size = 0;
};

/// A client's request about a snapshot: `id` is `guests/{id}[/disk-{d}][@{name}]`.
struct snapshot_request {
  std::string id, dest;
  bool recursive = false;
  bool destroy_more_recent = false;
};

struct guest_disk_metrics {
  std::string disk;
  std::int64_t read_ops = 0, read_bytes = 0;
  double read_time = 0;
  std::int64_t write_ops = 0, write_bytes = 0;
  double write_time = 0;
  std::int64_t flush_ops = 0;
  double flush_time = 0;
};

/// CPU times in seconds.
struct guest_cpu_metrics {
  double cpu_time = 0, vcpu_time = 0;
};

struct guest_nic_metrics {
  std::string name;
  std::int64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_drops = 0;
  std::int64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_drops = 0;
};

enum class job_status : std::uint8_t { queued, running, complete, error };

/// True for a job whose state is final.
constexpr bool has_ended(job_status s) noexcept {
  return s == job_status::complete || s == job_status::error;
}

/// Why a job failed, for programs. The numbers are stored on disk.
enum class job_code : std::uint8_t {
  none, ///< it has not failed
  cancelled,
  interrupted, ///< by the end of the agent, while a call was out
  timeout,
  unreachable, ///< no connection to the sub-agent, or it was lost before an answer
  refused,     ///< the sub-agent will not, by a rule
  no_space,
  no_memory,
  not_found,
  conflict,
  in_use,
  guest_deleted,
  preempted, ///< by a poweroff or a delete that did not wait for it
  failed,    ///< anything else
};

/// True if the same request may succeed later.
constexpr bool is_retryable(job_code code) noexcept {
  using enum job_code;
  return code == timeout || code == unreachable || code == interrupted || code == preempted || code == in_use ||
         code == no_space || code == no_memory;
}

/// How a stage of a job ended. The numbers are stored on disk.
enum class stage_outcome : std::uint8_t { none, ok, error, timeout, cancelled, interrupted, skipped };

/// A stage of a job that began. `ended` is unset while it runs.
struct job_stage {
  std::string service, method;
  timestamp started{}, ended{};
  stage_outcome outcome = stage_outcome::none;
};

/// How far the running stage is, as its sub-agent reports it.
struct job_progress {
  std::optional<std::uint64_t> done, total;
  std::string unit;
};

/// An asynchronous action, from its acceptance to its end. `guest_id` is `agent` for image jobs.
struct job {
  std::string id, guest_id, action;
  timestamp queued_at{}, started_at{}, updated_at{};
  job_status status = job_status::queued;
  std::string message;
  job_code code = job_code::none;
  std::vector<job_stage> stages{}; ///< those that began, in order
  std::size_t stage_count = 0;     ///< of the pipeline; 0 before the first stage
  std::optional<job_progress> progress{};
  std::string request_id{}, user{}; ///< of the request that queued it
};

} // namespace mistify::rpc
