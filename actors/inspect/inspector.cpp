#include "actors/inspect/inspector.hpp"

#include "rpc/base/thread_name.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>

namespace mistify::actors {

namespace {

using namespace std::chrono_literals;

/// Actors that have not answered by then are silent. A healthy actor answers within a millisecond.
constexpr auto longest_wait = 250ms;

/// Those that passed the actor by.
void add_calls(actor_status& to, std::vector<actor_status::call> more, std::size_t most) {
  if (more.empty())
    return;
  to.calls_out += more.size();
  to.calls.insert(to.calls.end(), std::move_iterator{more.begin()}, std::move_iterator{more.end()});
  std::ranges::stable_sort(to.calls, std::ranges::greater{}, &actor_status::call::since);
  to.calls.resize(std::min(to.calls.size(), most));
}

} // namespace

inspector_actor::behavior_type inspector_behavior(inspectable_pointer<inspector_actor, inspector> self,
                                                  actor_registry* actors) {
  rpc::name_thread("inspector");
  self->register_in(*actors);
  return self->state.behavior(*actors);
}

inspector_actor::behavior_type inspector::behavior(const actor_registry& actors) {
  actors_ = &actors;
  return {
    [this](inspect_atom) { return look_at_all(); },
    [this](inspect_atom, const std::string& id) { return look_at_one(id); },
    [this](late_atom, std::uint64_t number) { tell_late(number); },
  };
}

/// A request during a look at all shares its result.
caf::result<look_ptr> inspector::look_at_all() {
  if (const auto under_way = looks_.find(of_all_); under_way != looks_.end())
    return under_way->second.askers.emplace_back(self_).later();
  look begun;
  for (auto& who : actors_->all(self_->clock().now()))
    add(begun, std::move(who));
  of_all_ = last_ + 1;
  return wait_for(std::move(begun));
}

caf::result<look_ptr> inspector::look_at_one(const std::string& id) {
  auto who = actors_->find(id, self_->clock().now());
  if (!who)
    return to_error({rpc::errc::not_found, "not found"});
  look begun;
  begun.in_full = true;
  add(begun, *std::move(who));
  return wait_for(std::move(begun));
}

/// An actor that still owes an answer is not queried again: it is silent until it answers.
void inspector::add(look& to, actor_registry::member&& who) {
  const auto row = to.rows.size();
  auto& known = to.rows.emplace_back(std::move(who.known));
  if (who.actor && who.actor->id() == self_->id())
    known.at.reset(); // it is the inspector that runs this look
  if (!who.actor || who.actor->id() == self_->id())
    return;
  known.state = condition::silent;
  if (!asked_.emplace(who.actor->id(), to.in_full).second)
    return;
  to.missing.emplace(who.actor->id(), row);
  ask(who.actor, to.in_full);
}

caf::result<look_ptr> inspector::wait_for(look&& begun) {
  auto later = begun.askers.emplace_back(self_).later();
  if (begun.missing.empty()) {
    end(begun);
    return later;
  }
  looks_.emplace(++last_, std::move(begun));
  self_->delayed_send(self_, longest_wait, late_atom_v, last_);
  return later;
}

/// Without a deadline: a look ends after `longest_wait`, and an actor that still owes an answer is not asked again.
void inspector::ask(const caf::strong_actor_ptr& who, bool in_full) {
  self_->request<caf::message_priority::high>(caf::actor_cast<caf::actor>(who), caf::infinite, status_atom_v, in_full)
    .then([this, id = who->id(), in_full](const actor_status& told) { answered(id, in_full, &told); },
          [this, id = who->id(), in_full](const caf::error&) { answered(id, in_full, nullptr); });
}

void inspector::answered(caf::actor_id who, bool in_full, const actor_status* with) {
  asked_.erase({who, in_full});
  for (auto at = looks_.begin(); at != looks_.end();) {
    auto& waiting = at->second;
    if (const auto found = waiting.missing.find(who); found != waiting.missing.end() && waiting.in_full == in_full) {
      fill_in(waiting, found->second, with);
      waiting.missing.erase(found);
    }
    if (!waiting.missing.empty()) {
      ++at;
      continue;
    }
    end(waiting);
    at = looks_.erase(at);
  }
}

void inspector::tell_late(std::uint64_t number) {
  if (auto found = looks_.extract(number))
    end(found.mapped());
}

/// Keeps what only the actor_registry knows: the name, and what the actor cannot know.
void inspector::fill_in(look& in, std::size_t row, const actor_status* with) {
  if (!with) {
    in.ended.insert(row);
    return;
  }
  auto known = std::exchange(in.rows[row], *with);
  auto& told = in.rows[row];
  add_calls(told, std::move(known.calls), in.in_full ? most_told_in_full : most_told);
  told.state = told.works_on || !told.calls.empty() || told.queued > 0 ? condition::working : condition::idle;
  told.id = std::move(known.id);
  told.kind = std::move(known.kind);
  told.name = std::move(known.name);
  told.guest = std::move(known.guest);
  told.service = std::move(known.service);
  told.mailbox = known.mailbox;
  told.restarts = known.restarts;
  told.last_error = std::move(known.last_error);
}

void inspector::end(look& done) {
  auto found = std::make_shared<std::vector<actor_status>>();
  found->reserve(done.rows.size());
  for (std::size_t row = 0; row < done.rows.size(); ++row)
    if (!done.ended.contains(row))
      found->push_back(std::move(done.rows[row]));
  put_stuck_first(*found);
  for (const auto& asker : done.askers)
    asker.deliver(look_ptr{found});
}

} // namespace mistify::actors
