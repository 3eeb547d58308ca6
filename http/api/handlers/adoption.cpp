#include "actors/ids.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "rpc/base/distinct_members.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/exact_names.hpp"
#include "rpc/model/guest_names.hpp"
#include "rpc/model/power.hpp"
#include "rpc/model/unmanaged.hpp"

#include <algorithm>
#include <array>

namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;

namespace {

/// What a client says of a guest that it adopts; all else the machine says.
constexpr std::array<std::string_view, 6> own_members{"id", "name", "labels", "power", "on_io_error", "metadata"};

void expect_own_members(const std::string& body) {
  const auto document = rpc::json::document::parse(body);
  rpc::json::expect_distinct_members(document.root());
  for (const auto& [key, value] : document.root().members("body"))
    if (std::ranges::find(own_members, key) == own_members.end())
      throw failure{errc::invalid_request, std::string{key} + ": is not among what an adoption is asked for"};
}

/// As `create_guest` does: of the members that the agent reads, one that is null counts as absent.
void drop_null_members(rpc::guest& guest) {
  std::erase_if(guest.extra, [](const auto& one) { return one.second == "null"; });
  rpc::drop_null_labels(guest);
}

rpc::guest decode_adopted(const std::string& body) {
  expect_own_members(body);
  auto guest = rpc::decode_guest(body);
  drop_null_members(guest);
  rpc::expect_valid_names(guest);
  rpc::expect_power(guest);
  if (!actors::is_uuid(guest.id))
    throw failure{errc::invalid_request, "id must be uuid"};
  std::ranges::transform(guest.id, guest.id.begin(), rpc::text::lower);
  guest.state = "adopt";
  guest.wanted = "off";
  return guest;
}

/// True for an adopted guest of which the client says nothing new: its machine is only to be looked at again.
bool is_there_already(const context& cx, const rpc::guest& asked) {
  const auto there = cx.guests.find(asked.id);
  return there && asked.extra.empty() && asked.metadata.empty() && rpc::is_adopted(rpc::decode_guest(there->doc));
}

/// Leaves out the machines of guests that were adopted. A domain that only has the UUID of a guest, or an old mark too, is
/// not the guest's, and cannot be adopted.
std::vector<rpc::unmanaged_domain> without_guests(const context& cx, std::vector<rpc::unmanaged_domain> all) {
  const auto is_guests = [&](const rpc::unmanaged_domain& one) {
    const auto guest = one.marked ? cx.guests.find(one.id) : nullptr;
    return guest && rpc::is_adopted(rpc::decode_guest(guest->doc));
  };
  std::erase_if(all, is_guests);
  for (auto& one : all)
    if (one.adoptable && cx.guests.find(one.id)) {
      one.adoptable = false;
      one.reason = "a guest has this id already";
    }
  return all;
}

} // namespace

task<answer> list_unmanaged(context& cx, request& from) {
  actors::info_request question{require_action(cx, "listUnmanaged"), "{}", false, from.id};
  std::string runner{actors::agent_runner};
  const auto results = co_await cx.agents.ask(std::move(runner), std::move(question));
  co_return json_answer(200, rpc::encode_list(without_guests(cx, rpc::decode_unmanaged_results(results.root()))));
}

task<answer> adopt_guest(context& cx, request& from) {
  auto guest = decode_adopted(from.body);
  const auto who = identify(from, rpc::encode(guest), repeats::by_guest_too);
  if (const auto first = repeated(cx, who))
    co_return accepted_guest(cx, *first);
  if (const auto renewal = cx.settings.find_action("readopt"); renewal && is_there_already(cx, guest)) {
    auto again = make_job(who, renewal, {});
    const auto queued = co_await cx.agents.queue(guest.id, std::move(again));
    co_return accepted_guest(cx, queued);
  }
  auto job = make_job(who, require_action(cx, "adopt"), {});
  const auto queued = co_await cx.agents.create(std::move(guest), std::move(job));
  co_return accepted_guest(cx, queued);
}

} // namespace mistify::http::handlers
