#include "http/access/visibility.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/guest_wishes.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/handlers/parameters.hpp"
#include "rpc/model/apply.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/merge_patch.hpp"
#include "store/guest_tag.hpp"

#include <functional>

namespace mistify::http::handlers {

namespace {

using rpc::errc;
using rpc::failure;

/// Makes the wish of a request about a guest, or throws: called once the guest is known.
using wish_maker = std::function<guest_wish(const rpc::guest&)>;

/// Without stages if only the agent has to change something.
actors::action_ptr action_of(const context& cx, const store::stored_guest& guest, std::string_view change,
                             const guest_wish& wish) {
  const auto name = action_for(guest.type, change);
  if (wish.needs_stages)
    return require_action(cx, name);
  return std::make_shared<const actors::action>(actors::action{actors::find_action_kind(name), {}});
}

/// Throws `precondition_failed` before anything else of the request is judged. The journal checks the tag again when it
/// queues the job.
void expect_match(context& cx, const store::guest_ptr& guest, const std::string& if_match) {
  if (!if_match.empty())
    store::expect_match(if_match, cx.tags.of(guest, [&cx] { return cx.host.tag_key(); }).tag);
}

/// `canonical`: what identifies the request beside its path.
task<answer> change(context& cx, request& from, std::string action, std::string canonical, wish_maker make_wish) {
  const auto who = identify(from, canonical);
  if (const auto first = repeated(cx, who))
    co_return accepted_guest(cx, *first);
  const auto guest = require_guest(cx, from.captures["guest"]);
  expect_match(cx, guest, who.if_match);
  auto wish = make_wish(rpc::decode_guest(guest->doc));
  auto job = make_job(who, action_of(cx, *guest, action, wish), std::move(wish.text));
  if (wish.grows && cx.host.admits_by_size())
    co_await cx.agents.refresh_host();
  const auto queued = co_await cx.agents.queue(guest->id, std::move(job));
  co_return accepted_guest(cx, queued);
}

/// Throws `forbidden` if the patched guest would lie outside of the selector of `who`. It would otherwise belong to
/// another identity, or to none.
void expect_still_visible(const principal& who, const rpc::guest& guest, const std::string& body) {
  if (!who.guests)
    return;
  const auto before = rpc::json::document::parse(rpc::encode(guest)), patch = rpc::json::document::parse(body);
  auto after = rpc::merge_patch(before.root(), patch.root(), [](std::string_view member) { return member != "apply"; });
  if (!sees(who, {guest.id, guest.type, std::move(after)}))
    throw failure{errc::forbidden, "not allowed: the guest would be none of those that this identity may see"};
}

std::string apply_of(const request& from) {
  const auto* text = from.parameter("apply");
  if (text)
    rpc::apply_from(*text);
  return text ? *text : std::string{};
}

} // namespace

task<answer> patch_guest(context& cx, request& from) {
  auto body = compact(from.body);
  auto who = from.who;
  return change(cx, from, "update", body, [body, who](const rpc::guest& guest) {
    auto wish = wish_to_patch(guest, body);
    expect_still_visible(*who, guest, body);
    return wish;
  });
}

task<answer> attach_disk(context& cx, request& from) {
  auto body = compact(from.body);
  return change(cx, from, "attachDisk", body, [body](const rpc::guest&) { return wish_to_attach_disk(body); });
}

task<answer> detach_disk(context& cx, request& from) {
  const bool gone = flag_of(from, "delete");
  auto apply = apply_of(from);
  auto disk = from.captures["disk"];
  auto canonical = std::string{gone ? "delete " : ""} + apply;
  return change(cx, from, "detachDisk", std::move(canonical),
                [gone, apply, disk](const rpc::guest& guest) { return wish_to_detach_disk(guest, disk, gone, apply); });
}

task<answer> resize_disk(context& cx, request& from) {
  auto body = compact(from.body);
  auto disk = from.captures["disk"];
  return change(cx, from, "resizeDisk", body,
                [body, disk](const rpc::guest& guest) { return wish_to_resize_disk(guest, disk, body); });
}

task<answer> attach_nic(context& cx, request& from) {
  auto body = compact(from.body);
  return change(cx, from, "attachNic", body, [body](const rpc::guest&) { return wish_to_attach_nic(body); });
}

task<answer> detach_nic(context& cx, request& from) {
  auto apply = apply_of(from);
  auto nic = from.captures["nic"];
  return change(cx, from, "detachNic", apply,
                [apply, nic](const rpc::guest& guest) { return wish_to_detach_nic(guest, nic, apply); });
}

task<answer> get_pending(context& cx, request& from) {
  const auto guest = require_guest(cx, from.captures["guest"]);
  actors::info_request question{require_action(cx, action_for(guest->type, "pending")), {}, false, from.id};
  const auto result = co_await cx.agents.ask(guest->id, std::move(question));
  co_return json_answer(200, from_sub_agent([&] {
                          for (const rpc::json::node& one : result.root().items("result"))
                            one.members("result");
                          return result.root().text();
                        }));
}

} // namespace mistify::http::handlers
