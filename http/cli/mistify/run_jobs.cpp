#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/errors.hpp"
#include "http/cli/mistify/follow.hpp"
#include "http/cli/mistify/listing.hpp"
#include "http/cli/mistify/resolve.hpp"
#include "http/cli/mistify/runs.hpp"
#include "http/cli/mistify/screen.hpp"
#include "http/cli/mistify/waiting.hpp"

namespace mistify::cli {

namespace {

constexpr std::size_t usual_most = 1000;

client::query filter_of(const context& cx) {
  client::query filter{{"limit", std::to_string(cx.number("--limit", 1, usual_most).value_or(usual_most))}};
  for (const auto* member : {"status", "action"})
    if (const auto option = std::string{"--"} + member; cx.args.has(option))
      filter.emplace_back(member, cx.args.text(option));
  return filter;
}

bool fits(const rpc::json::node& job, const arguments& args) {
  return (!args.has("--status") || client::text_of(job, "Status") == args.text("--status")) &&
         (!args.has("--action") || client::text_of(job, "Action") == args.text("--action"));
}

} // namespace

int list_jobs(context& cx) {
  const auto guest = cx.args.has("GUEST") ? guest_id(cx, cx.args.text("GUEST")) : std::string{};
  const std::vector<std::string> columns{"ID", "GuestID", "Action", "Status", "QueuedAt", "Message"};
  if (cx.args.has("--follow"))
    return follow_jobs(cx, guest, columns);
  const auto how = cx.output(format::table, columns);
  const auto got = guest.empty() ? cx.agent().jobs(filter_of(cx)) : cx.agent().guest_jobs(guest, filter_of(cx));
  const auto list = client::decode<rpc::json::document>(got.body);
  rows shown;
  for (const rpc::json::node& one : list.root().items("jobs"))
    if (fits(one, cx.args))
      shown.emplace_back(one);
  print_rows("job", shown, how);
  return code(status::done);
}

int show_jobs(context& cx) {
  const auto how = cx.output(format::yaml, {"ID", "GuestID", "Action", "Status", "QueuedAt", "Message"});
  std::string list = "[";
  for (const auto& id : job_ids(cx, cx.args.list("JOB")))
    list.append(list.size() > 1 ? "," : "").append(cx.agent().find_job(id).body);
  const auto parsed = client::decode<rpc::json::document>(list + "]");
  const auto all = parsed.root().items("jobs");
  if (all.size() == 1)
    print_object("job", all.front(), how);
  else
    print_rows("job", all, how);
  return code(status::done);
}

int wait_for_jobs(context& cx) {
  error_list errors;
  std::vector<queued_job> jobs;
  client::patience left{cx.agent().link().how().timeout,
                        [](const client::failure& e) { print_error("mistify: " + e.message() + "; waiting for it"); }};
  for (const auto& id : job_ids(cx, cx.args.list("JOB"), left))
    jobs.push_back({"job " + id, id});
  wait_for_all(cx, jobs, errors, std::move(left));
  return errors.finish();
}

int cancel_jobs(context& cx) {
  error_list errors;
  for (const auto& id : job_ids(cx, cx.args.list("JOB"))) {
    try {
      cx.agent().cancel(id);
      print_line(id);
    } catch (const client::failure& e) {
      errors.add("cancel " + id, e);
    }
  }
  return errors.finish();
}

} // namespace mistify::cli
