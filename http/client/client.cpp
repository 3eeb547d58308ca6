#include "http/client/client.hpp"

#include "http/client/request_key.hpp"
#include "rpc/base/error.hpp"

#include <charconv>
#include <thread>

namespace mistify::client {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds between_attempts{200};
/// A source that sends nothing for so long is gone: a download that is stuck, unlike one that is slow.
constexpr milliseconds longest_pause{120'000};
/// A log that is followed may be silent for as long as it likes.
constexpr milliseconds any_pause{std::chrono::hours{24 * 365}};

template <class T>
answer<T> answer_of(reply got) {
  return {std::move(got.body), got.header("x-guest-job-id"), got.header("x-next"), got.header("etag")};
}

template <class... Parts>
std::string path(const Parts&... parts) {
  std::string all;
  (all.append("/").append(encode_segment(parts)), ...);
  return all;
}

std::string snapshots_of(std::string_view id, disk_number disk) {
  return disk ? path("guests", id, "disks", std::to_string(*disk), "snapshots") : path("guests", id, "snapshots");
}

query type_query(std::string_view type) {
  return type.empty() ? query{} : query{{"type", std::string{type}}};
}

/// What a client can do about these is to try again.
bool may_be_passing(const failure& e) {
  return e.code() == fault::lost || e.code() == fault::unreachable;
}

std::string message_of(const reply& got) {
  try {
    const auto parsed = rpc::json::document::parse(got.body);
    return text_of(parsed.root(), "message");
  } catch (const rpc::failure&) {
    return {};
  }
}

} // namespace

std::string with_query(std::string target, const query& parameters) {
  char mark = '?';
  for (const auto& [name, value] : parameters) {
    target.append(1, std::exchange(mark, '&')).append(encode_segment(name)).append("=").append(encode_segment(value));
  }
  return target;
}

void expect_success(const reply& got) {
  if (got.status >= 200 && got.status < 300)
    return;
  auto why = message_of(got);
  if (got.status < 400 || why.empty())
    throw failure{fault::not_agent, "status " + std::to_string(got.status) + " without a message: this is no agent"};
  throw failure{fault::refused, std::move(why), got.status};
}

/// Sends it again while it is lost on its way, until `outage` is over.
reply client::ask(message what, milliseconds longest) {
  const auto until = std::chrono::steady_clock::now() + outage;
  for (bool sent = false;;) {
    try {
      auto got = link_.send(what, longest);
      expect_success(got);
      return got;
    } catch (const failure& e) {
      sent = sent || e.code() == fault::lost;
      if (!sent || !may_be_passing(e) || std::chrono::steady_clock::now() >= until)
        throw;
    }
    std::this_thread::sleep_for(between_attempts);
  }
}

reply client::once(const message& what) {
  auto got = link_.send(what);
  expect_success(got);
  return got;
}

template <class T>
answer<T> client::read(std::string target, const query& parameters) {
  return answer_of<T>(ask({"GET", with_query(std::move(target), parameters), {}, {}}));
}

template <class T>
answer<T> client::queue(std::string method, std::string target, const how_to& with) {
  message what{std::move(method), with_query(std::move(target), with.parameters), with.body, {}};
  what.headers.emplace("Idempotency-Key", new_request_key());
  if (!with.if_match.empty())
    what.headers.emplace("If-Match", with.if_match);
  return answer_of<T>(ask(std::move(what)));
}

/// A change that is the same however often it is sent.
template <class T>
answer<T> client::put(std::string method, std::string target, const std::string& body) {
  return answer_of<T>(ask({std::move(method), std::move(target), body, {}}));
}

void client::pass(std::string target, const byte_receiver& to, milliseconds idle,
                  const std::function<void(const reply&)>& opened) {
  const auto got = link_.stream({"GET", std::move(target), {}, {}}, to, idle, opened);
  expect_success(got);
}

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

// -- jobs --

answer<std::vector<job>> client::jobs(const query& filter) {
  return read<std::vector<job>>("/jobs", filter);
}
answer<std::vector<job>> client::guest_jobs(std::string_view id, const query& filter) {
  return read<std::vector<job>>(path("guests", id, "jobs"), filter);
}
answer<job> client::find_job(std::string_view id, const query& more) {
  return read<job>(path("jobs", id), more);
}
answer<job> client::await_job(std::string_view id, milliseconds longest) {
  const message what{"GET", with_query(path("jobs", id), {{"wait", std::to_string(longest.count()) + "ms"}}), {}, {}};
  auto got = link_.send(what, link_.how().timeout + longest);
  expect_success(got);
  return answer_of<job>(std::move(got));
}
answer<job> client::cancel(std::string_view id) {
  return queue<job>("DELETE", path("jobs", id));
}
answer<job> client::report_progress(std::string_view id, const std::string& body) {
  return put<job>("PUT", path("jobs", id, "progress"), body);
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

// -- images --

answer<std::vector<rpc::image>> client::images(std::string_view type) {
  return read<std::vector<rpc::image>>("/images", type_query(type));
}
answer<rpc::image> client::image(std::string_view id, std::string_view type) {
  return read<rpc::image>(path("images", id), type_query(type));
}
answer<nothing> client::fetch_image(const std::string& body) {
  return queue<nothing>("POST", "/images", {body, {}, {}});
}
answer<nothing> client::delete_image(std::string_view id, std::string_view type) {
  return queue<nothing>("DELETE", path("images", id), {{}, type_query(type), {}});
}
answer<rpc::json::document> client::container_images() {
  return read<rpc::json::document>("/container_images");
}
answer<rpc::json::document> client::container_image(std::string_view id) {
  return read<rpc::json::document>(path("container_images", id));
}
answer<nothing> client::fetch_container_image(const std::string& body) {
  return queue<nothing>("POST", "/container_images", {body, {}, {}});
}
answer<nothing> client::delete_container_image(std::string_view id) {
  return queue<nothing>("DELETE", path("container_images", id));
}

// -- the host and the agent --

answer<rpc::metadata_map> client::metadata() {
  return read<rpc::metadata_map>("/metadata");
}
answer<rpc::metadata_map> client::patch_metadata(const std::string& body) {
  return put<rpc::metadata_map>("PATCH", "/metadata", body);
}
answer<rpc::json::document> client::host() {
  return read<rpc::json::document>("/host");
}
answer<rpc::json::document> client::set_maintenance(const std::string& body) {
  return put<rpc::json::document>("PUT", "/host/maintenance", body);
}
answer<rpc::json::document> client::leave_cluster(const std::string& body) {
  return put<rpc::json::document>("POST", "/host/leave", body);
}
answer<rpc::json::document> client::config() {
  return read<rpc::json::document>("/config");
}
answer<rpc::json::document> client::audit(const query& filter) {
  return read<rpc::json::document>("/audit", filter);
}
answer<identity> client::whoami() {
  return read<identity>("/whoami");
}
answer<std::vector<token>> client::tokens() {
  return read<std::vector<token>>("/tokens");
}
// Sent once: a secret that is lost on its way is better made anew than made twice.
answer<token> client::create_token(const std::string& body) {
  return answer_of<token>(once({"POST", "/tokens", body, {}}));
}
answer<nothing> client::delete_token(std::string_view id) {
  return answer_of<nothing>(once({"DELETE", path("tokens", id), {}, {}}));
}
answer<token> client::rotate_token(std::string_view id) {
  return answer_of<token>(once({"POST", path("tokens", id, "rotate"), {}, {}}));
}
answer<nothing> client::health() {
  return read<nothing>("/healthz");
}
answer<rpc::json::document> client::readiness() {
  return read<rpc::json::document>("/readyz");
}
answer<rpc::json::document> client::description() {
  return read<rpc::json::document>("/openapi.json");
}
std::string client::metrics() {
  return read<nothing>("/metrics").body;
}
std::string client::guest_metrics() {
  return read<nothing>("/metrics/guests").body;
}
answer<rpc::json::document> client::log_level() {
  return read<rpc::json::document>("/debug/log-level");
}
answer<rpc::json::document> client::set_log_level(const std::string& body) {
  return put<rpc::json::document>("PUT", "/debug/log-level", body);
}
answer<rpc::json::document> client::actors(const query& filter) {
  return read<rpc::json::document>("/debug/actors", filter);
}
answer<rpc::json::document> client::actor(std::string_view name) {
  return read<rpc::json::document>(path("debug", "actors", name));
}
void client::profile(std::string_view which, const byte_receiver& to) {
  pass("/debug/pprof/" + std::string{which}, to, longest_pause);
}

} // namespace mistify::client
