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

constexpr std::array<std::string_view, 14> code_names{
  "",          "cancelled", "interrupted", "timeout", "unreachable",   "refused",   "no_space",
  "no_memory", "not_found", "conflict",    "in_use",  "guest_deleted", "preempted", "failed"};

constexpr std::array<std::string_view, 7> outcome_names{"",          "ok",          "error",  "timeout",
                                                        "cancelled", "interrupted", "skipped"};

template <class Names, class Enum>
std::string_view name_in(const Names& names, Enum value) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < names.size() ? names[index] : std::string_view{};
}

/// The stage that the job is at, or was at when it ended.
void put_stage(json::writer& out, const job& of) {
  if (of.stages.empty())
    return;
  out.key("Stage").begin_object();
  out.key("index").value(std::uint64_t{of.stages.size()}).key("of").value(std::uint64_t{of.stage_count});
  out.key("service").value(of.stages.back().service).key("method").value(of.stages.back().method);
  out.end_object();
}

void put_stages(json::writer& out, const std::vector<job_stage>& all) {
  out.key("Stages").begin_array();
  for (const auto& one : all) {
    out.begin_object().key("service").value(one.service).key("method").value(one.method);
    out.key("started").value(encode(one.started));
    if (one.ended != timestamp{})
      out.key("ended").value(encode(one.ended)).key("outcome").value(to_string(one.outcome));
    out.end_object();
  }
  out.end_array();
}

void put_progress(json::writer& out, const job_progress& progress) {
  out.key("Progress").begin_object();
  if (progress.done)
    out.key("done").value(*progress.done);
  if (progress.total)
    out.key("total").value(*progress.total);
  if (!progress.unit.empty())
    out.key("unit").value(progress.unit);
  out.end_object();
}

} // namespace

std::string_view to_string(job_code code) noexcept {
  return name_in(code_names, code);
}

std::optional<job_code> job_code_from(std::string_view text) noexcept {
  const auto* found = std::ranges::find(code_names, text);
  if (text.empty() || found == code_names.end())
    return std::nullopt;
  return static_cast<job_code>(found - code_names.begin());
}

std::string_view to_string(stage_outcome outcome) noexcept {
  return name_in(outcome_names, outcome);
}

job_code code_of(errc why) noexcept {
  switch (why) {
  case errc::cancelled: return job_code::cancelled;
  case errc::sub_agent_timeout: return job_code::timeout;
  case errc::sub_agent_unreachable: return job_code::unreachable;
  case errc::sub_agent_refused: return job_code::refused;
  case errc::sub_agent_not_found: return job_code::not_found;
  case errc::sub_agent_conflict: return job_code::conflict;
  case errc::sub_agent_in_use: return job_code::in_use;
  case errc::sub_agent_no_space: return job_code::no_space;
  case errc::sub_agent_no_memory: return job_code::no_memory;
  default: return job_code::failed;
  }
}

std::string_view to_string(job_status status) noexcept {
  const auto* found = std::ranges::find(status_names, status, &status_name::status);
  return found == status_names.end() ? "Error" : found->name;
}

std::optional<job_status> job_status_from(std::string_view text) noexcept {
  const auto* found = std::ranges::find(status_names, text, &status_name::name);
  return found == status_names.end() ? std::nullopt : std::optional{found->status};
}

std::string encode(const job& value, bool with_stages) {
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
  out.key("Code").value(to_string(value.code));
  out.key("Retryable").value(is_retryable(value.code));
  put_stage(out, value);
  if (with_stages)
    put_stages(out, value.stages);
  if (value.progress)
    put_progress(out, *value.progress);
  out.key("RequestID").value(value.request_id);
  out.key("User").value(value.user);
  out.end_object();
  return std::move(out).str();
}

} // namespace mistify::rpc
