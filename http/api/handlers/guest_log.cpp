#include "http/access/visibility.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/handlers/parameters.hpp"
#include "http/api/handlers/passed_stream.hpp"
#include "rpc/base/json.hpp"

namespace mistify::http::handlers {

namespace {

using rpc::errc;
using rpc::failure;

/// The part of a log that the request selects.
struct log_part {
  std::optional<std::uint64_t> tail;          ///< lines from the end
  std::optional<std::uint64_t> offset, limit; ///< bytes
  bool follow = false;
};

log_part part_of(const request& from) {
  log_part part{number_of(from, "tail"), number_of(from, "offset"), number_of(from, "limit"), flag_of(from, "follow")};
  if (part.tail && (part.offset || part.limit))
    throw failure{errc::invalid_request, "tail: counts lines, and cannot be combined with offset and limit"};
  if (from.head_only) // HEAD has no body
    part = {.tail = {}, .offset = {}, .limit = 0};
  return part;
}

std::string encode(const std::string& guest_doc, const log_part& part) {
  rpc::json::writer out;
  out.begin_object().key("guest").raw(guest_doc);
  const std::pair<std::string_view, std::optional<std::uint64_t>> numbers[] = {
    {"tail", part.tail}, {"offset", part.offset}, {"limit", part.limit}};
  for (const auto& [name, value] : numbers)
    if (value)
      out.key(name).value(*value);
  out.key("follow").value(part.follow).end_object();
  return std::move(out).str();
}

/// A reader's rights are judged as long as it reads, and the guest may become another's. Of one that is deleted the
/// service ends the log itself, soon.
std::function<bool()> while_visible(const context& cx, const request& from, const std::string& guest, bool follow) {
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds soon{10};
  return [&cx, may = still_allowed(cx, from), who = from.who, guest, follow, seen = clock::now()]() mutable {
    if (!may() || (follow && cx.draining)) // a follower would hold the agent's end up for as long as that may take
      return false;
    const auto there = cx.guests.find(guest);
    if (!there)
      return clock::now() - seen < soon;
    seen = clock::now();
    return sees(*who, *there);
  };
}

} // namespace

task<answer> get_guest_log(context& cx, request& from) {
  const auto part = part_of(from);
  const auto guest = require_guest(cx, from.captures["guest"]);
  const auto what = require_action(cx, action_for(guest->type, "guestLog"));
  const auto grant = co_await cx.agents.open_stream(guest->id, what);
  // A guest may be silent for as long as it likes.
  const auto between = part.follow ? std::chrono::milliseconds{0} : grant.stall;
  auto log = passed_stream(cx, from, grant, encode(public_guest(guest->doc), part), {grant.stall, between});
  log.kind = stream_kind::log;
  log.live_while = while_visible(cx, from, guest->id, part.follow);
  answer out;
  out.content_type = "text/plain; charset=utf-8";
  out.body = std::move(log);
  co_return out;
}

} // namespace mistify::http::handlers
