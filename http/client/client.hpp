#pragma once

#include "http/client/failure.hpp"
#include "http/client/transport.hpp"
#include "http/client/values.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mistify::client {

/// The answer of a call: its JSON as it came, and what it stands for.
template <class T>
struct answer {
  std::string body;
  std::string job;  ///< the job that the call queued, or an earlier one in its place; "" where none
  std::string next; ///< the `after` of the next page of a list; "" where there is none
  std::string etag; ///< of a guest

  /// Decodes the body. Throws `failure{not_agent}`.
  T value() const { return decode<T>(body); }
};

/// An answer without content that matters.
struct nothing {};

/// Parameters of a URL, in order; values are encoded by the client.
using query = std::vector<std::pair<std::string, std::string>>;

/// How a call is made beyond its arguments.
struct how_to {
  std::string body; ///< JSON; empty: none
  query parameters;
  std::string if_match; ///< an ETag that the guest must still have; "": any
};

/// A disk of a guest by its number; without one all disks.
using disk_number = std::optional<unsigned>;

/// Every route of the agent as a call. A call that is lost on its way is sent again until `outage` is over; changes that
/// queue jobs carry an Idempotency-Key of their own, so that none is done twice. A connection that was never made is not
/// tried again. Throws `failure`. One thread at a time.
class client {
public:
  explicit client(settings how) : link_{std::move(how)} {}

  /// How long an agent may be away in the midst of something: longer than a restart takes.
  static constexpr std::chrono::seconds outage{30};

  // -- guests --
  answer<std::vector<rpc::guest>> guests(const query& filter = {});
  answer<rpc::guest> guest(std::string_view id);
  answer<rpc::guest> create_guest(const std::string& body);
  /// Domains of the hypervisor that are no guests.
  answer<std::vector<rpc::unmanaged_domain>> unmanaged();
  answer<rpc::guest> adopt(const std::string& body);
  answer<rpc::guest> update_guest(std::string_view id, const how_to& change);
  answer<rpc::guest> delete_guest(std::string_view id, const how_to& with = {});
  /// `action` as in the path: "reboot", "start".
  answer<rpc::guest> act(std::string_view id, std::string_view action, const how_to& with = {});
  answer<std::vector<pending_change>> pending(std::string_view id);
  answer<rpc::guest> attach_disk(std::string_view id, const how_to& disk);
  answer<rpc::guest> detach_disk(std::string_view id, std::string_view disk, const how_to& with = {});
  answer<rpc::guest> resize_disk(std::string_view id, std::string_view disk, const how_to& with);
  answer<rpc::guest> attach_nic(std::string_view id, const how_to& nic);
  answer<rpc::guest> detach_nic(std::string_view id, std::string_view nic, const how_to& with = {});
  answer<std::vector<rpc::guest_cpu_metrics>> cpu_metrics(std::string_view id);
  answer<std::map<std::string, rpc::guest_disk_metrics>> disk_metrics(std::string_view id);
  answer<std::map<std::string, rpc::guest_nic_metrics>> nic_metrics(std::string_view id);
  answer<rpc::metadata_map> guest_metadata(std::string_view id);
  answer<rpc::metadata_map> patch_guest_metadata(std::string_view id, const std::string& body);
  answer<rpc::guest> report_state(std::string_view id, const std::string& body);
  /// The console's output goes to `to`; with `follow` without end.
  void log(std::string_view id, const query& which, const byte_receiver& to);

  // -- jobs --
  answer<std::vector<job>> jobs(const query& filter = {});
  answer<std::vector<job>> guest_jobs(std::string_view id, const query& filter = {});
  answer<job> find_job(std::string_view id, const query& more = {});
  /// Answers when the job has ended or `longest` is over.
  answer<job> await_job(std::string_view id, std::chrono::milliseconds longest);
  answer<job> cancel(std::string_view id);
  answer<job> report_progress(std::string_view id, const std::string& body);

  // -- snapshots --
  answer<std::vector<rpc::snapshot>> snapshots(std::string_view id, disk_number disk = {});
  answer<std::vector<rpc::snapshot>> snapshot(std::string_view id, std::string_view name, disk_number disk = {});
  answer<job> create_snapshot(std::string_view id, const std::string& body, disk_number disk = {});
  answer<job> delete_snapshot(std::string_view id, std::string_view name, disk_number disk = {});
  answer<job> rollback_snapshot(std::string_view id, std::string_view name, const std::string& body,
                                disk_number disk = {});
  /// One attempt; a connection that breaks throws `failure{lost}` after what had come went to `to`. `length` gets the
  /// whole length before the first byte, where the agent knows it.
  void download_snapshot(std::string_view id, std::string_view name, disk_number disk, const byte_receiver& to,
                         const std::function<void(std::optional<std::uint64_t>)>& length);

  // -- images; `type`: "container", "" or another one, as in the API --
  answer<std::vector<rpc::image>> images(std::string_view type = {});
  answer<rpc::image> image(std::string_view id, std::string_view type = {});
  answer<nothing> fetch_image(const std::string& body);
  answer<nothing> delete_image(std::string_view id, std::string_view type = {});
  answer<rpc::json::document> container_images();
  answer<rpc::json::document> container_image(std::string_view id);
  answer<nothing> fetch_container_image(const std::string& body);
  answer<nothing> delete_container_image(std::string_view id);

  // -- the host and the agent --
  answer<rpc::metadata_map> metadata();
  answer<rpc::metadata_map> patch_metadata(const std::string& body);
  answer<rpc::json::document> host();
  answer<rpc::json::document> set_maintenance(const std::string& body);
  answer<rpc::json::document> leave_cluster(const std::string& body);
  answer<rpc::json::document> config();
  answer<identity> whoami();
  answer<rpc::json::document> audit(const query& filter = {}); ///< newest first
  answer<std::vector<token>> tokens();
  answer<token> create_token(const std::string& body);
  answer<nothing> delete_token(std::string_view id);
  answer<token> rotate_token(std::string_view id);
  answer<nothing> health();
  answer<rpc::json::document> readiness();
  answer<rpc::json::document> description();
  std::string metrics();       ///< the text format of Prometheus
  std::string guest_metrics(); ///< the text format of Prometheus
  answer<rpc::json::document> log_level();
  answer<rpc::json::document> set_log_level(const std::string& body);
  answer<rpc::json::document> actors(const query& filter = {});
  answer<rpc::json::document> actor(std::string_view name);
  /// `which`: "heap", "profile?seconds=5"; the bytes go to `to`.
  void profile(std::string_view which, const byte_receiver& to);

  /// The connection, for readers of events.
  transport& link() noexcept { return link_; }

private:
  reply ask(message what, std::chrono::milliseconds longest = std::chrono::milliseconds{0});
  reply once(const message& what);
  template <class T>
  answer<T> read(std::string target, const query& parameters = {});
  template <class T>
  answer<T> queue(std::string method, std::string target, const how_to& with = {});
  template <class T>
  answer<T> put(std::string method, std::string target, const std::string& body);
  void pass(std::string target, const byte_receiver& to, std::chrono::milliseconds idle,
            const std::function<void(const reply&)>& opened = {});

  transport link_;
};

/// Throws `failure{refused}` for an answer with an error status, with the agent's message.
void expect_success(const reply& got);

/// `target` with its parameters.
std::string with_query(std::string target, const query& parameters);

} // namespace mistify::client
