#include "rpc/agents/container/containers.hpp"

#include <algorithm>

namespace mistify::agents::container {

namespace {

/// Nics whose addresses the engine chooses.
bool has_engine_nics(const rpc::guest& g) {
  return std::ranges::any_of(g.nics, [](const rpc::nic& n) { return n.network != "none" && n.network != "host"; });
}

} // namespace

/// Starts the container by its id. False if that is not known, or did not start it: then a look says why.
bool containers::start_known(const std::string& guest) {
  const auto id = known_.id_of(guest);
  if (id.empty())
    return false;
  try {
    return engine_.act("/containers/" + id + "/start");
  } catch (const engine_error& e) {
    known_.forget(guest);
    if (e.status() > 0)
      return false;
    if (const auto now = find(guest); !now || !now->running || now->paused) // it was not answered, and may have done it
      throw;
    return false;
  }
}

rpc::guest_response containers::start(const container_call& call) {
  expect_guest_id(call.guest.id);
  const auto turn = locks_.take(call.guest.id);
  if (start_known(call.guest.id)) {
    if (has_engine_nics(call.guest))
      return answer(call.guest);
    rpc::guest_response started{call.guest};
    set_state(started.guest, {"running", {}});
    return started;
  }
  const auto facts = need(call.guest.id);
  if (facts.paused)
    wake(facts);
  else if (!facts.running)
    start_now(facts);
  return answer(call.guest);
}

rpc::guest_response containers::run(const container_call& call) {
  auto started = call;
  started.guest = create(call).guest;
  return start(started);
}

} // namespace mistify::agents::container
