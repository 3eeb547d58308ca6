#include "http/access/gatekeeper.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/handlers/parameters.hpp"
#include "http/api/job_view.hpp"
#include "rpc/model/codec.hpp"

namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;

namespace {

answer list_answer(const std::vector<rpc::job>& jobs) {
  std::vector<std::string> texts;
  for (const auto& job : jobs)
    texts.push_back(rpc::encode(job));
  return json_answer(200, json_array(texts));
}

/// Not found either where the client may not see the job's guest.
rpc::job require_job(const context& cx, const principal& who, const std::string& id) {
  if (auto job = cx.jobs.find(id); job && job_view{cx, who}.sees(*job))
    return *job;
  throw failure{errc::not_found, "not found"};
}

/// Returns the job; with `?wait`, after its end if that is in time.
task<answer> get(context& cx, request from, std::string id, std::string guest) {
  const auto longest = wait_of(from);
  auto job = require_job(cx, *from.who, id);
  if (!guest.empty() && job.guest_id != guest)
    throw failure{errc::not_found, "not found"};
  if (longest.count() > 0 && !rpc::has_ended(job.status)) {
    co_await cx.agents.await_end(job.guest_id, job.id, longest);
    if (!cx.gate.still_holds(*from.who, *from.client, from.header("authorization"), gatekeeper::clock::now()))
      throw failure{errc::forbidden, "the identity has ended meanwhile"};
    job = require_job(cx, *from.who, id);
  }
  co_return json_answer(200, rpc::encode(job));
}

} // namespace

task<answer> list_jobs(context& cx, request from) {
  co_return list_answer(job_view{cx, *from.who}.latest(limit_of(from)));
}

task<answer> list_guest_jobs(context& cx, request from) {
  co_return list_answer(job_view{cx, *from.who}.latest_of(from.captures[0], limit_of(from)));
}

task<answer> get_job(context& cx, request from) {
  auto id = from.captures[0];
  return get(cx, std::move(from), std::move(id), {});
}

task<answer> get_guest_job(context& cx, request from) {
  auto guest = from.captures[0], id = from.captures[1];
  return get(cx, std::move(from), std::move(id), std::move(guest));
}

task<answer> cancel_job(context& cx, request from) {
  const auto job = require_job(cx, *from.who, from.captures[0]);
  if (rpc::has_ended(job.status))
    throw failure{errc::conflict, "the job has ended"};
  const auto ended = co_await cx.agents.cancel(job.guest_id, job.id);
  auto out = json_answer(202, rpc::encode(ended));
  out.about = {ended.guest_id, ended.id, ended.action};
  co_return out;
}

} // namespace mistify::http::handlers
