#include "actors/ids.hpp"
#include "http/access/gatekeeper.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/handlers/parameters.hpp"
#include "http/api/job_view.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>

namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;

namespace {

answer list_answer(const std::vector<rpc::job>& jobs, bool with_stages) {
  std::vector<std::string> texts;
  for (const auto& job : jobs)
    texts.push_back(rpc::encode(job, with_stages));
  return json_answer(200, json_array(texts));
}

std::string text_of(const request& from, const std::string& name) {
  const auto* text = from.parameter(name);
  return text ? *text : std::string{};
}

/// Reads a parameter with `decode`; throws `invalid_request` if it is not one of its values.
template <class Decode>
auto value_of(const request& from, const std::string& name, const std::string& wanted, Decode decode) {
  const auto* text = from.parameter(name);
  auto value = text ? decode(*text) : std::nullopt;
  if (text && !value)
    throw failure{errc::invalid_request, name + ": must be " + wanted};
  return value;
}

store::job_filter filter_of(const request& from) {
  constexpr auto time = "a time in the form of RFC 3339";
  store::job_filter which;
  which.guest = text_of(from, "guest");
  if (actors::is_uuid(which.guest))
    std::ranges::transform(which.guest, which.guest.begin(), rpc::text::lower);
  which.action = text_of(from, "action");
  which.status = value_of(from, "status", "Queued, Running, Complete or Error", rpc::job_status_from);
  which.code = value_of(from, "code", "the code of a failed job, such as timeout", rpc::job_code_from);
  which.since = value_of(from, "since", time, rpc::decode_timestamp);
  which.before = value_of(from, "before", time, rpc::decode_timestamp);
  return which;
}

/// Not found either where the client may not see the job's guest.
rpc::job require_job(const context& cx, const principal& who, const std::string& id) {
  if (auto job = cx.jobs.find(id); job && job_view{cx, who}.sees(*job))
    return *job;
  throw failure{errc::not_found, "not found"};
}

/// Returns the job; with `?wait`, after its end if that is in time.
task<answer> get(context& cx, request& from, std::string id, std::string guest) {
  const auto longest = wait_of(from);
  const bool with_stages = flag_of(from, "stages");
  auto job = require_job(cx, *from.who, id);
  if (!guest.empty() && job.guest_id != guest)
    throw failure{errc::not_found, "not found"};
  if (longest.count() > 0 && !rpc::has_ended(job.status)) {
    co_await cx.agents.await_end(job.guest_id, job.id, longest);
    if (!cx.gate.still_holds(*from.who, *from.client, from.header("authorization"), gatekeeper::clock::now()))
      throw failure{errc::forbidden, "the identity has ended meanwhile"};
    job = require_job(cx, *from.who, id);
  }
  co_return json_answer(200, rpc::encode(job, with_stages));
}

} // namespace

task<answer> list_jobs(context& cx, request& from) {
  const auto which = filter_of(from);
  co_return list_answer(job_view{cx, *from.who}.latest(which, limit_of(from)), flag_of(from, "stages"));
}

task<answer> list_guest_jobs(context& cx, request& from) {
  auto which = filter_of(from);
  which.guest = from.captures["guest"];
  co_return list_answer(job_view{cx, *from.who}.latest(which, limit_of(from)), flag_of(from, "stages"));
}

task<answer> get_job(context& cx, request& from) {
  auto id = from.captures["job"];
  return get(cx, from, std::move(id), {});
}

task<answer> get_guest_job(context& cx, request& from) {
  auto guest = from.captures["guest"], id = from.captures["job"];
  return get(cx, from, std::move(id), std::move(guest));
}

task<answer> cancel_job(context& cx, request& from) {
  const auto job = require_job(cx, *from.who, from.captures["job"]);
  if (rpc::has_ended(job.status))
    throw failure{errc::conflict, "the job has ended"};
  const auto ended = co_await cx.agents.cancel(job.guest_id, job.id);
  auto out = json_answer(202, rpc::encode(ended));
  out.about = answer_subject{ended.guest_id, ended.id, ended.action};
  co_return out;
}

} // namespace mistify::http::handlers
