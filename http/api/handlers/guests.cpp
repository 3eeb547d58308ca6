#include "actors/ids.hpp"
#include "http/access/visibility.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/door.hpp"
#include "http/api/error_map.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/guest_params.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/guest_list.hpp"
#include "rpc/model/cloud_init.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/exact_names.hpp"
#include "rpc/model/guest_names.hpp"
#include "rpc/model/nic_address.hpp"
#include "rpc/model/power.hpp"
#include "store/admission.hpp"

#include <algorithm>
#include <array>

namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;

namespace {

constexpr std::array<std::string_view, 9> guest_actions{"shutdown", "reboot", "restart",   "poweroff", "start",
                                                        "suspend",  "resume", "hibernate", "delete"};

task<answer> act(context& cx, request& from, std::string action) {
  const auto wish = wish_of(from, action, from.captures["guest"]);
  auto kept = actors::encode(wish);
  const auto who = identify(from, kept);
  if (const auto first = repeated(cx, who))
    co_return accepted_guest(cx, *first);
  const auto guest = require_guest(cx, from.captures["guest"]);
  auto what = require_action(cx, action_for(guest->type, action));
  expect_wait(wish, *what);
  auto job = make_job(who, std::move(what), std::move(kept));
  if (store::starts_guest(job.what->kind->name) && cx.host.admits_by_size())
    co_await cx.agents.refresh_host(); // the journal judges by the figures that are there
  const auto queued = co_await cx.agents.queue(guest->id, std::move(job));
  co_return accepted_guest(cx, queued);
}

task<answer> refuse_get() {
  co_return method_not_allowed("POST");
}

task<answer> refuse_browser() {
  co_return error_answer(403, "browsers act by POST only");
}

std::string need_guest_action(const request& from) {
  const auto& action = from.captures["action"];
  if (std::find(guest_actions.begin(), guest_actions.end(), action) == guest_actions.end())
    throw failure{errc::not_found, "not found"};
  return action;
}

/// Of those that the agent itself reads, a member that is null is as one that is absent; so is a label.
void drop_null_members(rpc::guest& guest) {
  for (const auto* name : {"start", "name", "labels", "power", "on_io_error"})
    if (const auto found = guest.extra.find(name); found != guest.extra.end() && found->second == "null")
      guest.extra.erase(found);
  rpc::drop_null_labels(guest);
}

/// Throws for a wrong `cloud_init`, and for addresses that no seed could tell: after the disks were made it would be
/// late.
void expect_first_boot(const rpc::guest& guest) {
  rpc::cloud_init_of(guest);
  if (rpc::has_cloud_init(guest) && guest.type == "container")
    throw failure{errc::invalid_request, "cloud_init: is for machines, and containers have no such first boot"};
  rpc::expect_addresses(guest);
}

/// Without that stage the guest would boot untold.
void expect_seed_stage(const rpc::guest& guest, const actors::action& create) {
  const auto makes_seed = [](const actors::stage& s) { return std::string_view{s.method}.ends_with("CreateSeed"); };
  if (rpc::has_cloud_init(guest) && std::ranges::none_of(create.stages, makes_seed))
    throw failure{errc::not_configured,
                  "cloud_init: Not configured: create has no stage that makes a seed (ImageStore.CreateSeed)"};
}

/// Decodes a guest to create: its id is absent or a UUID, which is converted to lower case.
rpc::guest decode_new_guest(const std::string& body) {
  auto guest = rpc::decode_guest(body);
  drop_null_members(guest);
  guest.extra.erase("adopted"); // an adoption alone says so
  guest.extra.erase("apply");   // of a request, not of the guest
  rpc::expect_exact_names(guest);
  rpc::expect_valid_names(guest);
  expect_no_controls(guest);
  if (!guest.id.empty() && !actors::is_uuid(guest.id))
    throw failure{errc::invalid_request, "id must be uuid"};
  std::transform(guest.id.begin(), guest.id.end(), guest.id.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  guest.state = "create";
  guest.state_reason.clear();
  rpc::expect_power(guest);
  expect_first_boot(guest);
  return guest;
}

/// Takes the member `start` out of a guest to create: it is not stored. Throws `invalid_request` unless it is a boolean.
bool take_start(rpc::guest& guest) {
  const auto found = guest.extra.extract("start");
  if (!found || found.mapped() == "false")
    return false;
  if (found.mapped() != "true")
    throw failure{errc::invalid_request, "start: must be true or false"};
  return true;
}

/// A copy to which a newline can be appended without another.
std::string with_room(std::string_view text) {
  std::string copy;
  copy.reserve(text.size() + 1);
  copy = text;
  return copy;
}

/// An identity that is limited to some guests creates only those.
void expect_visible(const principal& who, const rpc::guest& guest) {
  if (!sees(who, {guest.id, guest.type, rpc::encode(guest)}))
    throw failure{errc::forbidden, "not allowed: the guest is none of those that this identity may see"};
}

} // namespace

task<answer> create_guest(context& cx, request& from) {
  auto guest = decode_new_guest(from.body);
  guest.wanted.clear();
  // Before an id is generated, so that a repetition without an id is the same request.
  const auto who = identify(from, rpc::encode(guest), repeats::by_guest_too);
  if (const auto first = repeated(cx, who)) {
    expect_visible(*from.who, rpc::decode_guest(first->guest_doc));
    co_return accepted_guest(cx, *first);
  }
  const bool starts = take_start(guest);
  guest.wanted = starts ? "on" : "off";
  auto what = require_action(cx, action_for(guest.type, "create"));
  expect_seed_stage(guest, *what);
  auto job = make_job(who, std::move(what), actors::encode(actors::guest_wish{.start = starts}));
  if (starts)
    require_action(cx, action_for(guest.type, "start"));
  if (guest.id.empty())
    guest.id = actors::new_uuid();
  expect_visible(*from.who, guest);
  if (const auto there = cx.guests.find(guest.id)) // 409 is only for guests that the client may know of
    expect_visible(*from.who, rpc::decode_guest(there->doc));
  if (cx.host.admits_by_size())
    co_await cx.agents.refresh_host();
  const auto queued = co_await cx.agents.create(std::move(guest), std::move(job));
  co_return accepted_guest(cx, queued);
}

task<answer> get_guest(context& cx, request& from) {
  const auto guest = require_guest(cx, from.captures["guest"]);
  auto known = cx.tags.of(guest, [&cx] { return cx.host.tag_key(); });
  auto out = json_answer(200, known.is_public ? with_room(guest->doc) : public_guest(guest->doc));
  out.headers.emplace_back("ETag", std::move(known.tag));
  co_return out;
}

task<answer> delete_guest(context& cx, request& from) {
  return act(cx, from, "delete");
}

task<answer> act_on_guest(context& cx, request& from) {
  auto action = need_guest_action(from);
  return act(cx, from, std::move(action));
}

task<answer> act_on_guest_by_get(context& cx, request& from) {
  auto action = need_guest_action(from);
  if (!cx.settings.get()->http.get_actions)
    return refuse_get();
  if (comes_from_browser(from)) // a link or an image on any page would run the action
    return refuse_browser();
  return act(cx, from, std::move(action));
}

} // namespace mistify::http::handlers
