#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/errors.hpp"
#include "http/cli/mistify/files.hpp"
#include "http/cli/mistify/guest_body.hpp"
#include "http/cli/mistify/listing.hpp"
#include "http/cli/mistify/resolve.hpp"
#include "http/cli/mistify/runs.hpp"
#include "http/cli/mistify/screen.hpp"
#include "http/cli/mistify/waiting.hpp"

#include <functional>

namespace mistify::cli {

namespace {

/// What the agent takes at most in one request, and of cloud-init's data.
constexpr std::size_t longest_body = 1 << 20, longest_user_data = 32 << 10;

std::string file_of(const context& cx) {
  return cx.args.has("--file") ? read_small_file(cx.args.text("--file"), longest_body) : std::string{};
}

/// Filters again what the agent has filtered: older ones do not.
bool fits(const rpc::json::node& guest, const arguments& args) {
  for (const auto* member : {"state", "name"})
    if (const auto option = std::string{"--"} + member;
        args.has(option) && client::text_of(guest, member) != args.text(option))
      return false;
  for (const auto& label : args.list("--label")) {
    const auto mark = label.find('=');
    const auto* labels = guest.find("labels");
    const auto* value = labels ? labels->find(label.substr(0, mark)) : nullptr;
    if (!value || value->type() != rpc::json::node::kind::string || value->as_string("label") != label.substr(mark + 1))
      return false;
  }
  return true;
}

client::query filter_of(const arguments& args) {
  client::query filter;
  for (const auto* member : {"state", "name", "label"})
    for (const auto& value : args.list(std::string{"--"} + member))
      filter.emplace_back(member, value);
  return filter;
}

/// Sends the request for one guest; returns the id of its job.
using change = std::function<std::string(const std::string& id)>;

std::string ask_known(context& cx, const std::string& what, const std::string& id, const change& ask) {
  try {
    return ask(id);
  } catch (const client::failure& e) {
    explain_missing(cx, id, what, e);
  }
}

int change_all(context& cx, const std::string& what, const change& ask) {
  error_list errors;
  std::vector<queued_job> jobs;
  const auto& asked = cx.args.list("GUEST");
  const auto ids = guest_ids(cx, asked);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto label = what + " " + (ids.size() == asked.size() ? asked[i] : ids[i]);
    try {
      jobs.push_back({label, ask_known(cx, what, ids[i], ask)});
    } catch (const client::failure& e) {
      errors.add(label, e);
    }
  }
  settle(cx, jobs, errors);
  return errors.finish();
}

/// The params of an action as the options have them; "" where there are none.
std::string params_of(const context& cx) {
  rpc::json::writer out;
  out.begin_object();
  if (const auto seconds = cx.number("--within", 0, 86'400))
    out.key("wait").value(*seconds);
  if (cx.args.has("--then"))
    out.key("then").value(cx.args.text("--then"));
  if (cx.args.has("--preempt"))
    out.key("preempt").value(true);
  out.end_object();
  return out.str() == "{}" ? std::string{} : out.str();
}

int act(context& cx, const std::string& action, const std::string& params) {
  return change_all(cx, action, [&](const std::string& id) {
    return cx.agent().act(id, action, {params, {}, {}}).job;
  });
}

/// The jobs of a guest that were queued behind `job`: the start of `--start`.
void wait_for_later_jobs(context& cx, const std::string& id, const std::string& job, error_list& errors) {
  std::vector<queued_job> later;
  for (const auto& one : cx.agent().guest_jobs(id).value()) {
    if (one.id == job)
      break;
    later.insert(later.begin(), queued_job{one.action + " " + id, one.id});
  }
  wait_for_all(cx, later, errors);
}

} // namespace

int list_guests(context& cx) {
  if (cx.args.has("--all-hosts"))
    return list_all_guests(cx);
  const auto how = cx.output(format::table, {"id", "name", "state", "memory", "cpu", "type"});
  const auto most = cx.number("--limit", 1, 1'000'000);
  expect_pairs(cx.args, "--label");
  const auto got = cx.agent().guests(filter_of(cx.args));
  const auto list = client::decode<rpc::json::document>(got.body);
  rows shown;
  for (const rpc::json::node& one : list.root().items("guests"))
    if ((!most || shown.size() < *most) && fits(one, cx.args))
      shown.emplace_back(one);
  print_rows("guest", shown, how);
  return code(status::done);
}

int create_guest(context& cx) {
  const auto& data = cx.args.text("--user-data");
  if (data == "-" && cx.args.text("--file") == "-")
    throw give_up{status::usage, "--file and --user-data cannot both be standard input"};
  const auto body = create_body(cx.args, file_of(cx), data.empty() ? "" : read_small_file(data, longest_user_data));
  const auto made = cx.agent().create_guest(body);
  const auto parsed = client::decode<rpc::json::document>(made.body);
  const auto id = client::text_of(parsed.root(), "id");
  print_line(id);
  flush_output(); // a script that ends the wait knows the guest
  error_list errors;
  if (cx.args.has("--wait")) {
    const auto& name = cx.args.text("--name");
    wait_for_all(cx, {{"create " + (name.empty() ? id : name), made.job}}, errors);
    if (cx.args.has("--start") && errors.empty())
      wait_for_later_jobs(cx, id, made.job, errors);
  }
  return errors.finish();
}

int show_guests(context& cx) {
  const auto how = cx.output(format::yaml, {"id", "name", "state", "memory", "cpu", "type"});
  std::string list = "[";
  const auto ids = guest_ids(cx, cx.args.list("GUEST"));
  for (const auto& id : ids)
    list.append(list.size() > 1 ? "," : "").append(cx.agent().guest(id).body);
  const auto parsed = client::decode<rpc::json::document>(list + "]");
  const auto all = parsed.root().items("guests");
  if (all.size() == 1)
    print_object("guest", all.front(), how);
  else
    print_rows("guest", all, how);
  return code(status::done);
}

int act_on_guests(context& cx) {
  return act(cx, std::string{cx.of.path}, params_of(cx));
}

int stop_guests(context& cx) {
  const bool hard = cx.args.has("--force");
  if (hard && (cx.args.has("--within") || cx.args.has("--then")))
    throw give_up{status::usage, "--force takes the power away at once: --within and --then do not go with it"};
  if (!hard && cx.args.has("--preempt"))
    throw give_up{status::usage, "--preempt goes with --force"};
  return act(cx, hard ? "poweroff" : "shutdown", params_of(cx));
}

int delete_guests(context& cx) {
  client::how_to with;
  for (const auto* one : {"force", "preempt"})
    if (cx.args.has(std::string{"--"} + one))
      with.parameters.emplace_back(one, "true");
  return change_all(cx, "delete", [&](const std::string& id) { return cx.agent().delete_guest(id, with).job; });
}

int update_guest(context& cx) {
  const auto body = update_body(cx.args, file_of(cx));
  return change_all(cx, "update", [&](const std::string& id) {
    return cx.agent().update_guest(id, {body, {}, {}}).job;
  });
}

} // namespace mistify::cli
