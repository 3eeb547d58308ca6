#include "rpc/model/codec.hpp"

#include <algorithm>
#include <array>

namespace mistify::rpc {

namespace {

struct status_name {
  job_status status;
  std::string_view name;
};

constexpr std::array<status_name, 4> status_names{{{job_status::queued, "Queued"},
                                                   {job_status::running, "Running"},
                                                   {job_status::complete, "Complete"},
                                                   {job_status::error, "Error"}}};

} // namespace

std::string_view to_string(job_status status) noexcept {
  const auto* found = std::ranges::find(status_names, status, &status_name::status);
  return found == status_names.end() ? "Error" : found->name;
}

std::optional<job_status> job_status_from(std::string_view text) noexcept {
  const auto* found = std::ranges::find(status_names, text, &status_name::name);
  return found == status_names.end() ? std::nullopt : std::optional{found->status};
}

std::string encode(const job& value) {
  json::writer out;
  out.begin_object();
  out.key("ID").value(value.id);
  out.key("GuestID").value(value.guest_id);
  out.key("Action").value(value.action);
  out.key("QueuedAt").value(encode(value.queued_at));
  out.key("StartedAt").value(encode(value.started_at));
  out.key("UpdatedAt").value(encode(value.updated_at));
  out.key("Status").value(to_string(value.status));
  out.key("Message").value(value.message);
  out.end_object();
  return std::move(out).str();
}

} // namespace mistify::rpc
