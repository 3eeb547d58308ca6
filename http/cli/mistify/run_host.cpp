#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/errors.hpp"
#include "http/cli/mistify/listing.hpp"
#include "http/cli/mistify/resolve.hpp"
#include "http/cli/mistify/runs.hpp"
#include "http/cli/mistify/screen.hpp"
#include "rpc/base/time.hpp"

#include <chrono>

/// Host, tokens, log, version.
namespace mistify::cli {

namespace {

int print_host(const std::string& json, const layout& how) {
  const auto parsed = client::decode<rpc::json::document>(json);
  print_object("host", parsed.root(), how);
  return code(status::done);
}

void write_list(rpc::json::writer& out, std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty())
    return;
  out.key(key).begin_array();
  for (const auto& text : texts)
    out.value(text);
  out.end_array();
}

void expect_to_come(const std::string& option, const std::string& time) {
  const auto read = rpc::decode_timestamp(time);
  if (!read)
    throw give_up{status::usage, option + ": must be a time as RFC 3339 has it, such as 2027-01-31T00:00:00Z"};
  if (*read <= std::chrono::system_clock::now())
    throw give_up{status::usage, option + ": is over already"};
}

std::string token_body(context& cx) {
  const auto& args = cx.args;
  if (args.has("--guest") && args.has("--label"))
    throw give_up{status::usage, "--guest and --label exclude each other"};
  if (args.has("--role") == args.has("--scope"))
    throw give_up{status::usage, "a token needs either --role or --scope"};
  if (args.has("--expires"))
    expect_to_come("--expires", args.text("--expires"));
  expect_pairs(args, "--label");
  rpc::json::writer out;
  out.begin_object().key("name").value(args.text("NAME"));
  for (const auto* one : {"role", "service", "expires"})
    if (const auto option = std::string{"--"} + one; args.has(option))
      out.key(one).value(args.text(option));
  write_list(out, "scopes", args.list("--scope"));
  if (args.has("--guest"))
    write_list(out, "guests", guest_ids(cx, args.list("--guest")));
  if (args.has("--label"))
    out.key("guests").begin_object().key("label").value(args.text("--label")).end_object();
  out.end_object();
  return std::move(out).str();
}

int print_secret(const client::answer<client::token>& made) {
  const auto secret = made.value().secret;
  if (!secret.starts_with("mst_"))
    throw client::failure{client::fault::not_agent, "the answer holds no token"};
  print_line(secret);
  return code(status::done);
}

/// A fixed route that is not there belongs to a newer agent, or to a config that switched it off.
template <class F>
auto needed_route(const char* what, F call) {
  try {
    return call();
  } catch (const client::failure& e) {
    constexpr int not_found = 404;
    if (e.status() != not_found)
      throw;
    throw give_up{status::refused, std::string{"this agent has no "} + what,
                  "it is older than this command, or its config says so"};
  }
}

client::answer<rpc::json::document> send_maintenance(context& cx, bool on) {
  rpc::json::writer out;
  out.begin_object().key("on").value(on);
  if (cx.args.has("--reason"))
    out.key("reason").value(cx.args.text("--reason"));
  out.end_object();
  return needed_route("maintenance", [&] { return cx.agent().set_maintenance(out.str()); });
}

} // namespace

int show_host(context& cx) {
  const auto how = cx.output(format::yaml, {"id", "name", "version", "guests.count", "guests.running"});
  return print_host(needed_route("figures of its host", [&] { return cx.agent().host(); }).body, how);
}

int set_maintenance(context& cx) {
  const auto how = cx.output(format::yaml, {"on", "reason"});
  const auto done = send_maintenance(cx, cx.args.text("STATE") == "on");
  return done.body.empty() ? code(status::done) : print_host(done.body, how);
}

void begin_maintenance(context& cx) {
  send_maintenance(cx, true);
}

int leave_cluster(context& cx) {
  const auto how = cx.output(format::yaml, {});
  const auto* body = cx.args.has("--force") ? R"({"force":true})" : "{}";
  const auto done = needed_route("cluster", [&] { return cx.agent().leave_cluster(body); });
  return done.body.empty() ? code(status::done) : print_host(done.body, how);
}

int create_token(context& cx) {
  return print_secret(cx.agent().create_token(token_body(cx)));
}

int list_tokens(context& cx) {
  const auto how = cx.output(format::table, {"id", "name", "role", "created", "last_used", "expires"});
  const auto list = client::decode<rpc::json::document>(cx.agent().tokens().body);
  print_rows("token", list.root().items("tokens"), how);
  return code(status::done);
}

int delete_token(context& cx) {
  cx.agent().delete_token(token_id(cx, cx.args.text("TOKEN")));
  return code(status::done);
}

int rotate_token(context& cx) {
  return print_secret(cx.agent().rotate_token(token_id(cx, cx.args.text("TOKEN"))));
}

int show_log(context& cx) {
  constexpr std::uint64_t most = 1'000'000;
  client::query which;
  if (const auto lines = cx.number("--tail", 0, most))
    which.emplace_back("tail", std::to_string(*lines));
  if (cx.args.has("--follow"))
    which.emplace_back("follow", "true");
  const auto id = guest_id(cx, cx.args.text("GUEST"));
  try {
    cx.agent().log(id, which, [](std::string_view piece) {
      print(piece);
      flush_output();
      return true;
    });
  } catch (const client::failure& e) {
    explain_missing(cx, id, "log", e);
  }
  return code(status::done);
}

int print_version(context& cx) {
  print("mistify " MISTIFY_VERSION "\n");
  flush_output();
  try {
    const auto description = cx.agent().description();
    const auto parsed = client::decode<rpc::json::document>(description.body);
    const auto* info = parsed.root().find("info");
    print_line("agent " + (info ? client::text_of(*info, "version") : std::string{"unknown"}));
    return code(status::done);
  } catch (const client::failure& e) { // this command's version was asked for too
    error_list errors;
    errors.add(status_of(e), e.message(), advice_for(e));
    return errors.finish();
  }
}

} // namespace mistify::cli
