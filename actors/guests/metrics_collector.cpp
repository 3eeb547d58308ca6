#include "actors/guests/metrics_collector.hpp"

#include "rpc/base/log.hpp"

#include <algorithm>
#include <utility>

namespace mistify::actors {

using rpc::errc;
using ending = metrics_lane::ending;

metrics_actor::behavior_type metrics_behavior(inspectable_pointer<metrics_actor, metrics_collector> self,
                                              metrics_context context, actor_registry* actors) {
  self->register_in(*actors);
  return self->state.behavior(std::move(context));
}

metrics_actor::behavior_type metrics_collector::behavior(metrics_context context) {
  context_ = std::move(context);
  return {
    [this](refresh_atom) { want(); },
    [this](resume_atom, std::uint64_t timer) {
      if (timer != timer_)
        return;
      set_for_.reset();
      for (auto& lane : lanes_)
        work(lane);
      set_timer();
    },
    [this](drain_atom) { stopping_ = true; },
    [this](status_atom, bool in_full) {
      actor_status out;
      tell(out, in_full);
      return out;
    },
  };
}

/// A service that the config no longer uses for metrics keeps its lane; the lane sends no requests.
void metrics_collector::want() {
  const auto settings = context_.settings();
  const auto all = metrics_questions(*settings);
  if (settings != seen_)
    drop_unasked(all);
  seen_ = settings;
  for (const auto& [service, questions] : all)
    lanes_.try_emplace(service);
  for (auto& lane : lanes_) {
    lane.second.want();
    work(lane);
  }
  set_timer();
}

/// Removes metrics that no action of the config fetches any more; the page would show their last values for ever.
void metrics_collector::drop_unasked(const std::map<std::string, std::vector<metrics_question>>& questions) {
  const auto is_asked = [&](const store::stored_guest& guest, figure_kind kind) {
    return std::ranges::any_of(questions, [&](const auto& row) {
      return std::ranges::any_of(row.second, [&](const auto& one) { return one.kind == kind && one.is_for(guest); });
    });
  };
  for (const auto& guest : context_.guests->all())
    for (const auto kind : figure_kinds)
      if (!is_asked(*guest, kind))
        context_.to->drop(guest->id, kind);
}

void metrics_collector::work(lanes::value_type& lane) {
  auto& [service, rounds] = lane;
  const auto now = self_->clock().now();
  if (rounds.give_up(now))
    note_silence(service, "the agent did not answer in time");
  if (stopping_)
    return;
  if (rounds.begins(now))
    begin_round(lane);
  for (const auto& one : rounds.next(now))
    send(lane, one);
}

/// Takes half of the service's slots at most.
void metrics_collector::begin_round(lanes::value_type& lane) {
  const auto settings = context_.settings();
  const auto service = settings->services.find(lane.first);
  const auto places = service == settings->services.end() ? 0 : service->second.max_pending;
  context_.to->retain([this](const std::string& guest) { return context_.guests->find(guest) != nullptr; });
  lane.second.begin(self_->clock().now(), context_.guests->all(), metrics_questions(*settings)[lane.first], places / 2);
}

void metrics_collector::send(lanes::value_type& lane, const metrics_lane::request& one) {
  const auto done = [this, &lane, batch = lane.second.batch(), guest = one.guest->id,
                     kind = one.about.kind](const rpc::outcome<rpc::json::document>& answer) {
    lane.second.ended(batch, keep(lane.first, guest, kind, answer), self_->clock().now());
    work(lane);
    set_timer();
  };
  // The deadline is the lane's: one for all requests of a batch.
  self_->request(context_.front, caf::infinite, info_atom_v, one.guest->id, info_request{one.about.what, {}, true})
    .then([done](rpc::json::document& metrics) { done(std::move(metrics)); },
          [done](const caf::error& e) { done(to_failure(e)); });
}

/// Removes metrics that a guest does not have (mostly because it does not run); metrics that did not arrive in time
/// become older.
ending metrics_collector::keep(const std::string& service, const std::string& guest, figure_kind kind,
                               const rpc::outcome<rpc::json::document>& answer) {
  try {
    if (const auto* why = std::get_if<rpc::failure>(&answer))
      throw *why;
    context_.to->keep(guest, kind, std::get<rpc::json::document>(answer).root());
    return ending::done;
  } catch (const rpc::failure& why) {
    switch (why.code()) {
    case errc::queue_full: return ending::busy;
    case errc::sub_agent_unreachable:
    case errc::sub_agent_refused:
    case errc::sub_agent_not_found:
    case errc::sub_agent_conflict:
    case errc::sub_agent_in_use:
    case errc::sub_agent_no_space:
    case errc::sub_agent_no_memory:
    case errc::sub_agent_failed: context_.to->drop(guest, kind); return ending::done;
    case errc::not_found: return ending::done; // deleted meanwhile
    default: note_silence(service, why.message()); return ending::hopeless;
    }
  }
}

void metrics_collector::note_silence(const std::string& service, const std::string& reason) {
  rpc::log::info("metrics of guests are not fetched", {{"service", service}, {"reason", reason}});
  history_.note_error(self_->clock().now(), service + ": " + reason);
}

void metrics_collector::set_timer() {
  std::optional<metrics_lane::time> next;
  for (const auto& [service, rounds] : lanes_)
    if (const auto due = rounds.due(); due && (!next || *due < *next))
      next = due;
  if (!next || stopping_ || (set_for_ && *set_for_ <= *next))
    return;
  set_for_ = next;
  const auto now = self_->clock().now();
  self_->delayed_send(self_, *next > now ? *next - now : caf::actor_clock::duration_type{0}, resume_atom_v, ++timer_);
}

bool metrics_collector::busy() const noexcept {
  return std::ranges::any_of(lanes_, [](const auto& lane) { return lane.second.in_flight() > 0; });
}

/// The work is a batch: rounds over many guests take long.
void metrics_collector::tell(actor_status& to, bool in_full) const {
  const auto now = self_->clock().now();
  for (const auto& [service, rounds] : lanes_) {
    if (rounds.in_flight() > 0 && (!to.works_on || now - rounds.asked_at() > to.works_on->since))
      to.works_on = actor_status::work{"waits for metrics of guests from " + service, now - rounds.asked_at()};
  }
  if (in_full)
    history_.tell(to, now);
}

} // namespace mistify::actors
