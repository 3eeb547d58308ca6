#include "http/client/client_calls.hpp"

#include <charconv>

// Calls about guests and their snapshots.
namespace mistify::client {

namespace {

std::string snapshots_of(std::string_view id, disk_number disk) {
  return disk ? path("guests", id, "disks", std::to_string(*disk), "snapshots") : path("guests", id, "snapshots");
}

} // namespace

// -- guests --

answer<std::vector<rpc::guest>> client::guests(const query& filter) {
  return read<std::vector<rpc::guest>>("/guests", filter);
}
answer<rpc::guest> client::guest(std::string_view id) {
  return read<rpc::guest>(path("guests", id));
}
answer<rpc::guest> client::create_guest(const std::string& body) {
  return queue<rpc::guest>("POST", "/guests", {body, {}, {}});
}
answer<std::vector<rpc::unmanaged_domain>> client::unmanaged() {
  return read<std::vector<rpc::unmanaged_domain>>("/guests/unmanaged");
}
answer<rpc::guest> client::adopt(const std::string& body) {
  return queue<rpc::guest>("POST", "/guests/adopt", {body, {}, {}});
}
answer<rpc::guest> client::update_guest(std::string_view id, const how_to& change) {
  return queue<rpc::guest>("PATCH", path("guests", id), change);
}
answer<rpc::guest> client::delete_guest(std::string_view id, const how_to& with) {
  return queue<rpc::guest>("DELETE", path("guests", id), with);
}
answer<rpc::guest> client::act(std::string_view id, std::string_view action, const how_to& with) {
  return queue<rpc::guest>("POST", path("guests", id, action), with);
}
answer<std::vector<pending_change>> client::pending(std::string_view id) {
  return read<std::vector<pending_change>>(path("guests", id, "pending"));
}
answer<rpc::guest> client::attach_disk(std::string_view id, const how_to& disk) {
  return queue<rpc::guest>("POST", path("guests", id, "disks"), disk);
}
answer<rpc::guest> client::detach_disk(std::string_view id, std::string_view disk, const how_to& with) {
  return queue<rpc::guest>("DELETE", path("guests", id, "disks", disk), with);
}
answer<rpc::guest> client::resize_disk(std::string_view id, std::string_view disk, const how_to& with) {
  return queue<rpc::guest>("POST", path("guests", id, "disks", disk, "resize"), with);
}
answer<rpc::guest> client::attach_nic(std::string_view id, const how_to& nic) {
  return queue<rpc::guest>("POST", path("guests", id, "nics"), nic);
}
answer<rpc::guest> client::detach_nic(std::string_view id, std::string_view nic, const how_to& with) {
  return queue<rpc::guest>("DELETE", path("guests", id, "nics", nic), with);
}
answer<std::vector<rpc::guest_cpu_metrics>> client::cpu_metrics(std::string_view id) {
  return read<std::vector<rpc::guest_cpu_metrics>>(path("guests", id, "metrics", "cpu"));
}
answer<std::map<std::string, rpc::guest_disk_metrics>> client::disk_metrics(std::string_view id) {
  return read<std::map<std::string, rpc::guest_disk_metrics>>(path("guests", id, "metrics", "disk"));
}
answer<std::map<std::string, rpc::guest_nic_metrics>> client::nic_metrics(std::string_view id) {
  return read<std::map<std::string, rpc::guest_nic_metrics>>(path("guests", id, "metrics", "nic"));
}
answer<rpc::metadata_map> client::guest_metadata(std::string_view id) {
  return read<rpc::metadata_map>(path("guests", id, "metadata"));
}
answer<rpc::metadata_map> client::patch_guest_metadata(std::string_view id, const std::string& body) {
  return put<rpc::metadata_map>("PATCH", path("guests", id, "metadata"), body);
}
answer<rpc::guest> client::report_state(std::string_view id, const std::string& body) {
  return put<rpc::guest>("PUT", path("guests", id, "state"), body);
}
void client::log(std::string_view id, const query& which, const byte_receiver& to) {
  pass(with_query(path("guests", id, "log"), which), to, any_pause);
}

// -- snapshots --

answer<std::vector<rpc::snapshot>> client::snapshots(std::string_view id, disk_number disk) {
  return read<std::vector<rpc::snapshot>>(snapshots_of(id, disk));
}
answer<std::vector<rpc::snapshot>> client::snapshot(std::string_view id, std::string_view name, disk_number disk) {
  return read<std::vector<rpc::snapshot>>(snapshots_of(id, disk) + path(name));
}
answer<job> client::create_snapshot(std::string_view id, const std::string& body, disk_number disk) {
  return queue<job>("POST", snapshots_of(id, disk), {body, {}, {}});
}
answer<job> client::delete_snapshot(std::string_view id, std::string_view name, disk_number disk) {
  return queue<job>("DELETE", snapshots_of(id, disk) + path(name));
}
answer<job> client::rollback_snapshot(std::string_view id, std::string_view name, const std::string& body,
                                      disk_number disk) {
  return queue<job>("POST", snapshots_of(id, disk) + path(name, "rollback"), {body, {}, {}});
}
void client::download_snapshot(std::string_view id, std::string_view name, disk_number disk, const byte_receiver& to,
                               const std::function<void(std::optional<std::uint64_t>)>& length) {
  pass(snapshots_of(id, disk) + path(name, "download"), to, longest_pause, [&](const reply& head) {
    const auto text = head.header("content-length");
    std::uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
    length(error == std::errc{} && end == text.data() + text.size() ? std::optional{bytes} : std::nullopt);
  });
}

} // namespace mistify::client
