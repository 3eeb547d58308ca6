#include "http/api/views/actor_status_json.hpp"

#include "rpc/base/json.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>
#include <string_view>

namespace mistify::http {

namespace {

using actors::actor_status;
using actors::age;
using actors::condition;
using rpc::json::writer;

double in_seconds(age length) {
  // Milliseconds are precise enough, and keep a thousand rows short.
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(length).count()) / 1000;
}

void write_age(writer& out, age length, rpc::timestamp now) {
  const auto begin = std::chrono::time_point_cast<std::chrono::milliseconds>(now - length);
  out.key("since").value(rpc::encode(rpc::timestamp{begin})).key("age").value(in_seconds(length));
}

void write_work(writer& out, const actor_status::work& at, rpc::timestamp now) {
  out.begin_object().key("doing").value(at.doing).key("job").value(at.job).key("action").value(at.action);
  out.key("stage").value(std::uint64_t{at.stage}).key("method").value(at.method);
  out.key("request").value(at.request);
  write_age(out, at.since, now);
  out.end_object();
}

void write_handling(writer& out, const actor_status::handling& at, rpc::timestamp now) {
  out.begin_object().key("message").value(at.message);
  write_age(out, at.since, now);
  out.end_object();
}

void write_event(writer& out, const actor_status::event& e, rpc::timestamp now) {
  out.begin_object().key("text").value(e.text).key("job").value(e.job);
  write_age(out, e.since, now);
  out.end_object();
}

void write_level(writer& out, const actor_status::level& of) {
  out.begin_object().key("name").value(of.name).key("running").value(std::uint64_t{of.running});
  out.key("width").value(std::uint64_t{of.width}).key("waiting").value(std::uint64_t{of.waiting});
  out.key("most_waiting").value(std::uint64_t{of.most_waiting}).end_object();
}

void write_call(writer& out, const actor_status::call& of, rpc::timestamp now) {
  out.begin_object().key("service").value(of.service).key("method").value(of.method);
  out.key("guest").value(of.guest).key("job").value(of.job);
  write_age(out, of.since, now);
  out.end_object();
}

void write_waiting(writer& out, const actor_status::waiting& of) {
  out.begin_object().key("job").value(of.job).key("what").value(of.what).end_object();
}

template <class T, class Write>
void write_optional(writer& out, std::string_view key, const std::optional<T>& value, Write write) {
  out.key(key);
  if (value)
    write(*value);
  else
    out.null();
}

template <class T, class Write>
void write_list(writer& out, std::string_view key, const std::vector<T>& values, Write write) {
  out.key(key).begin_array();
  for (const auto& value : values)
    write(value);
  out.end_array();
}

std::string_view name_of(condition state, bool stuck) {
  switch (state) {
  case condition::silent: return "silent";
  case condition::working: return stuck ? "stuck" : "working";
  case condition::idle: break;
  }
  return stuck ? "stuck" : "idle";
}

/// Writes the members of one status, without braces.
void write_members(writer& out, const actor_status& s, age patience, rpc::timestamp now) {
  const auto why = why_stuck(s, patience);
  out.key("id").value(s.id).key("kind").value(s.kind).key("name").value(s.name);
  out.key("guest").value(s.guest).key("service").value(s.service);
  out.key("state").value(name_of(s.state, !why.empty())).key("stuck").value(why);
  out.key("age").value(in_seconds(oldest(s))).key("mailbox").value(std::uint64_t{s.mailbox});
  write_optional(out, "handles", s.at, [&](const auto& at) { write_handling(out, at, now); });
  write_optional(out, "work", s.works_on, [&](const auto& at) { write_work(out, at, now); });
  write_list(out, "throttles", s.throttles, [&](const auto& level) { write_level(out, level); });
  out.key("queued").value(std::uint64_t{s.queued});
  write_list(out, "queue", s.queue, [&](const auto& waiting) { write_waiting(out, waiting); });
  out.key("calls_out").value(std::uint64_t{s.calls_out});
  write_list(out, "calls", s.calls, [&](const auto& call) { write_call(out, call, now); });
  out.key("restarts").value(std::uint64_t{s.restarts});
  write_optional(out, "last_error", s.last_error, [&](const auto& e) { write_event(out, e, now); });
}

/// True if a lower-case text is part of another, ignoring case.
bool is_in(std::string_view needle, std::string_view text) {
  return !std::ranges::search(text, needle, {}, rpc::text::lower).empty();
}

bool mentions(const actor_status& s, std::string_view needle) {
  const auto in = [&](std::string_view text) { return is_in(needle, text); };
  return in(s.id) || (s.works_on && (in(s.works_on->doing) || in(s.works_on->job) || in(s.works_on->action))) ||
         std::ranges::any_of(s.calls, [&](const auto& c) { return in(c.method) || in(c.job) || in(c.guest); }) ||
         std::ranges::any_of(s.queue, [&](const auto& w) { return in(w.job) || in(w.what); }) ||
         (s.last_error && in(s.last_error->text));
}

bool fits(const actor_status& s, const status_filter& wanted, std::string_view needle) {
  if (!wanted.idle && s.state == condition::idle && why_stuck(s, wanted.patience).empty() && s.restarts == 0 &&
      !s.last_error)
    return false;
  return (wanted.kind.empty() || s.kind == wanted.kind) && (wanted.guest.empty() || s.guest == wanted.guest) &&
         (!wanted.only_stuck || !why_stuck(s, wanted.patience).empty()) && (needle.empty() || mentions(s, needle));
}

void write_totals(writer& out, const std::vector<actor_status>& all, age patience) {
  std::uint64_t working = 0, silent = 0, stuck = 0, queued = 0, calls = 0, mailbox = 0;
  for (const auto& s : all) {
    working += s.state == condition::working ? 1 : 0;
    silent += s.state == condition::silent ? 1 : 0;
    stuck += why_stuck(s, patience).empty() ? 0 : 1;
    mailbox += s.mailbox;
    if (!s.guest.empty())
      queued += s.queued;
    if (!s.service.empty())
      calls += s.calls_out;
  }
  out.key("totals").begin_object().key("actors").value(std::uint64_t{all.size()});
  out.key("idle").value(std::uint64_t{all.size()} - working - silent).key("working").value(working);
  out.key("silent").value(silent).key("stuck").value(stuck).key("queued").value(queued);
  out.key("calls").value(calls).key("mailbox").value(mailbox).end_object();
}

} // namespace

std::string encode_statuses(const std::vector<actors::actor_status>& all, const status_filter& wanted,
                            rpc::timestamp now) {
  std::string needle = wanted.search;
  std::ranges::transform(needle, needle.begin(), rpc::text::lower);
  writer rows;
  rows.begin_array();
  std::uint64_t found = 0;
  for (const auto& s : all) {
    if (!fits(s, wanted, needle) || ++found > wanted.limit)
      continue;
    rows.begin_object();
    write_members(rows, s, wanted.patience, now);
    rows.end_object();
  }
  rows.end_array();
  writer out;
  out.begin_object().key("time").value(rpc::encode(now)).key("patience").value(in_seconds(wanted.patience));
  write_totals(out, all, wanted.patience);
  out.key("found").value(found).key("actors").raw(rows.str()).end_object();
  return std::move(out).str();
}

std::string encode_status(const actors::actor_status& one, std::chrono::milliseconds patience, rpc::timestamp now) {
  writer out;
  out.begin_object().key("time").value(rpc::encode(now)).key("patience").value(in_seconds(patience));
  write_members(out, one, patience, now);
  write_list(out, "history", one.history, [&](const auto& e) { write_event(out, e, now); });
  out.end_object();
  return std::move(out).str();
}

} // namespace mistify::http
