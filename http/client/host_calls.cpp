#include "http/client/client_calls.hpp"

// Calls about jobs, images, the host and the agent.
namespace mistify::client {

using std::chrono::milliseconds;

namespace {

query type_query(std::string_view type) {
  return type.empty() ? query{} : query{{"type", std::string{type}}};
}

} // namespace

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
