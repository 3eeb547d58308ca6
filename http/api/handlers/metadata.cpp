#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "rpc/model/codec.hpp"

namespace mistify::http::handlers {

task<answer> get_metadata(context& cx, request&) {
  co_return json_answer(200, rpc::encode(cx.guests.metadata()));
}

task<answer> patch_metadata(context& cx, request& from) {
  expect_unlimited(*from.who);
  const auto patch = rpc::decode_metadata_patch(from.body);
  auto audit = audit_of(from, 200); // named, as GCC 12 destroys such temporaries twice
  const auto whole = co_await cx.agents.patch(patch, std::move(audit));
  co_return changed(json_answer(200, rpc::encode(whole)));
}

task<answer> get_guest_metadata(context& cx, request& from) {
  const auto guest = require_guest(cx, from.captures["guest"]);
  co_return json_answer(200, rpc::encode(public_metadata(rpc::decode_guest(guest->doc).metadata)));
}

task<answer> patch_guest_metadata(context& cx, request& from) {
  const auto patch = rpc::decode_metadata_patch(from.body);
  const auto guest = require_guest(cx, from.captures["guest"]);
  auto audit = audit_of(from, 200);
  auto whole = co_await cx.agents.patch(guest->id, patch, std::move(audit), if_match_of(from));
  co_return changed(json_answer(200, rpc::encode(public_metadata(std::move(whole)))));
}

} // namespace mistify::http::handlers
