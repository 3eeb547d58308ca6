#include "actor_fixture.hpp"

#include <thread>

using namespace mistify;
using namespace mistify::test;
using actors::actor_status;
using actors::condition;
using actors::inspect_atom_v;
using actors::look_ptr;

namespace {

/// An actor that answers what it is at when it is told to, and not before.
using mute_actor =
  caf::typed_actor<caf::reacts_to<actors::alive_atom>, caf::replies_to<actors::status_atom, bool>::with<actor_status>>;
struct mute_state {
  static inline const char* name = "mute";
  bool busy() const { return true; }
  void tell(actor_status&, bool) const {}
  const actors::history& recent() const { return past; }
  actors::history past{1};
  std::vector<actors::reply<actor_status>> owed;
  int asked = 0;
};
using mute_pointer = actors::inspectable_pointer<mute_actor, mute_state>;

mute_actor::behavior_type mute(mute_pointer self, actors::actor_registry* actor_registry) {
  self->register_in(*actor_registry);
  return {
    [=](actors::alive_atom) {
      for (auto& promise : std::exchange(self->state.owed, {})) {
        actor_status late;
        late.works_on = actor_status::work{"thinks", 1s};
        promise.deliver(late);
      }
    },
    [=](actors::status_atom, bool) -> caf::result<actor_status> {
      ++self->state.asked;
      return self->state.owed.emplace_back(self).later();
    },
  };
}

class inspection : public agent_fixture {
public:
  explicit inspection(actors::limits limit = {}) : agent_fixture{limit} {}

  std::shared_ptr<seen_reply<look_ptr>> begin_look() { return ask<look_ptr>(inspector, inspect_atom_v); }

  std::vector<actor_status> look() {
    const auto asked = begin_look();
    advance(300ms); // so that those who do not answer are given up
    REQUIRE(asked->value);
    return **asked->value;
  }

  actor_status look_at(const std::string& id) {
    const auto asked = ask<look_ptr>(inspector, inspect_atom_v, id);
    advance(300ms);
    REQUIRE(asked->value);
    REQUIRE((*asked->value)->size() == 1);
    return (*asked->value)->front();
  }

  mute_actor add_mute();

  void queue(const std::string& guest, const std::string& action) {
    REQUIRE(ask<store::queued_job>(front, actors::queue_atom_v, guest, job(action))->value);
  }
};

const actor_status& find(const std::vector<actor_status>& all, const std::string& id) {
  const auto found = std::ranges::find(all, id, &actor_status::id);
  REQUIRE(found != all.end());
  return *found;
}

/// It counts as at work once it has handled a message.
mute_actor inspection::add_mute() {
  auto added = track(system.spawn(mute, &actor_registry));
  caf::anon_send(added, actors::alive_atom_v);
  run();
  return added;
}

} // namespace

TEST_CASE_METHOD(inspection, "every actor is seen, with what it is and whose") {
  add_guest("g1");
  const auto all = look();
  for (const auto* id : {"front", "job_log", "service:s", "guest_runner:agent", "guest_runner:g1", "inspector"})
    CHECK(find(all, id).state == condition::idle);
  CHECK(all.size() == 6);
  CHECK(find(all, "guest_runner:g1").guest == "g1");
  CHECK(find(all, "guest_runner:g1").kind == "guest_runner");
  CHECK(find(all, "service:s").service == "s");
}

TEST_CASE_METHOD(inspection, "a runner tells the job that it is at, its stage, its call and what queues behind") {
  add_guest("g1");
  queue("g1", "reboot"), queue("g1", "suspend"), queue("g1", "delete");
  advance(42s);
  const auto all = look();
  const auto& runner = find(all, "guest_runner:g1");
  CHECK(all.front().calls.size() == 1); // the runner or its service: both wait the same time
  CHECK(runner.state == condition::working);
  REQUIRE(runner.works_on);
  CHECK(runner.works_on->action == "reboot");
  CHECK(runner.works_on->stage == 1);
  CHECK(runner.works_on->method == "T.Stop");
  CHECK(runner.works_on->doing == "waits for the answer of T.Stop");
  CHECK(runner.works_on->since >= 42s);
  CHECK(job_of(runner.works_on->job).action == "reboot");
  REQUIRE(runner.calls.size() == 1);
  CHECK(runner.calls.front().service == "s");
  CHECK(runner.calls.front().job == runner.works_on->job);
  REQUIRE(runner.queued == 2);
  CHECK(runner.queue[0].what == "suspend");
  CHECK(runner.queue[1].what == "delete");
  CHECK(job_of(runner.queue[1].job).action == "delete");
  CHECK(why_stuck(runner, 30s) == "waits for the answer of T.Stop for 42 s");
}

TEST_CASE_METHOD(inspection, "a service tells its calls in flight, for whom they are, and what waits for a place") {
  const auto five = {"g1", "g2", "g3", "g4", "g5"};
  for (const auto* id : five)
    add_guest(id);
  for (const auto* id : five)
    queue(id, "reboot");
  const auto all = look();
  const auto& seen = find(all, "service:s");
  CHECK(seen.calls_out == 4);
  REQUIRE(seen.calls.size() == 4);
  CHECK(seen.calls[0].guest == "g1");
  CHECK(seen.calls[0].method == "T.Stop");
  CHECK(seen.calls[0].job == find(all, "guest_runner:g1").works_on->job);
  REQUIRE(seen.queue.size() == 1);
  CHECK(seen.queue[0].what == "T.Stop");
  CHECK(seen.queue[0].job == find(all, "guest_runner:g5").works_on->job);
  REQUIRE(seen.throttles.size() == 1);
  CHECK(seen.throttles[0].running == 4);
  CHECK(seen.throttles[0].width == 4);
  CHECK(seen.throttles[0].waiting == 1);
}

TEST_CASE("information calls and downloads of a guest are told, in use and waiting") {
  actors::limits limit;
  limit.info = 1;
  inspection f{limit};
  f.add_guest("g1");
  for (int i = 0; i < 3; ++i)
    f.ask<rpc::json::document>(f.front, actors::info_atom_v, std::string{"g1"},
                               actors::info_request{f.action("cpuMetrics"), "{}"});
  const auto grant =
    f.ask<actors::stream_grant>(f.front, actors::stream_atom_v, std::string{"g1"}, f.action("downloadSnapshot"));
  REQUIRE(grant->value);
  f.advance(2s);
  const auto all = f.look();
  const auto& runner = find(all, "guest_runner:g1");
  REQUIRE(runner.throttles.size() == 3);
  CHECK(runner.throttles[0].name == "info");
  CHECK(runner.throttles[0].running == 1);
  CHECK(runner.throttles[0].waiting == 2);
  CHECK(runner.throttles[1].name == "downloads");
  CHECK(runner.throttles[1].running == 1);
  REQUIRE(runner.calls.size() == 2);
  CHECK(runner.calls[0].method == "T.CPU");
  CHECK(runner.calls[0].since >= 2s);
  CHECK(runner.calls[1].method == "T.Download");
  CHECK(find(all, "service:s").calls_out == 2);
}

TEST_CASE_METHOD(inspection, "idle runners are not woken by a look") {
  for (int i = 0; i < 20; ++i)
    add_guest("g" + std::to_string(i));
  const auto asked = ask<look_ptr>(inspector, inspect_atom_v);
  CHECK(asked->value); // at once: nobody was asked, so there is nobody to wait for
  CHECK((*asked->value)->size() == 25);
}

TEST_CASE_METHOD(inspection, "who does not answer is told as silent, and holds up nobody") {
  const auto silent = add_mute();
  add_guest("g1");
  const auto first = begin_look();
  CHECK_FALSE(first->answered());
  advance(200ms);
  CHECK_FALSE(first->answered());
  advance(100ms);
  REQUIRE(first->value);
  CHECK((*first->value)->front().id == "mute");
  CHECK((*first->value)->front().state == condition::silent);

  // It owes an answer still: it is not asked again, and not waited for.
  const auto second = begin_look();
  REQUIRE(second->value);
  CHECK((*second->value)->front().state == condition::silent);
  auto& state = caf::actor_cast<mute_pointer>(silent)->state;
  CHECK(state.asked == 1);

  caf::anon_send(silent, actors::alive_atom_v);
  run();
  const auto third = begin_look();
  CHECK(state.asked == 2);
  caf::anon_send(silent, actors::alive_atom_v);
  run();
  REQUIRE(third->value);
  CHECK(find(**third->value, "mute").works_on->doing == "thinks");
  CHECK(find(**third->value, "mute").state == condition::working);
}

TEST_CASE_METHOD(inspection, "looks that come together share one question") {
  const auto silent = add_mute();
  const auto one = begin_look(), other = begin_look();
  CHECK(caf::actor_cast<mute_pointer>(silent)->state.asked == 1);
  advance(300ms);
  REQUIRE(one->value);
  REQUIRE(other->value);
  CHECK(*one->value == *other->value);
}

TEST_CASE_METHOD(inspection, "an actor that ends while it is looked at is left out") {
  const auto silent = add_mute();
  const auto asked = begin_look();
  caf::anon_send_exit(silent, caf::exit_reason::user_shutdown);
  run();
  REQUIRE(asked->value);
  CHECK(std::ranges::find(**asked->value, "mute", &actor_status::id) == (*asked->value)->end());
}

TEST_CASE_METHOD(inspection, "one actor is looked at with its history, newest first") {
  add_guest("g1");
  queue("g1", "reboot");
  answer_error("no domain");
  const auto runner = look_at("guest_runner:g1");
  REQUIRE(runner.history.size() == 4);
  CHECK(runner.history[0].text == "reboot ended in an error: no domain");
  CHECK(runner.history[1].text == "reboot begins");
  CHECK(runner.history[2].text == "create is complete");
  CHECK(runner.history[3].text == "create begins");
  CHECK(job_of(runner.history[0].job).action == "reboot");
  REQUIRE(runner.last_error);
  CHECK(runner.last_error->text == runner.history[0].text);
  const auto called = look_at("service:s");
  REQUIRE(called.last_error);
  CHECK(called.last_error->text == "T.Stop: no domain, after 0 ms");
}

TEST_CASE_METHOD(inspection, "an actor that is not there is not found") {
  for (const auto* id : {"guest_runner:g9", "nobody", "", ":", "front:", "front:x", "guest_runner"}) {
    INFO(id);
    const auto asked = ask<look_ptr>(inspector, inspect_atom_v, std::string{id});
    REQUIRE(asked->error);
    CHECK(asked->error->code() == rpc::errc::not_found);
  }
}

TEST_CASE_METHOD(inspection, "a runner that died of a fault is told as restarted, with what it died of") {
  add_guest("g1");
  caf::anon_send_exit(runners["g1"], caf::exit_reason::kill);
  run();
  auto runner = find(look(), "guest_runner:g1");
  CHECK(runner.restarts == 1);
  REQUIRE(runner.last_error);
  CHECK(runner.last_error->text == "killed");
  const auto front_seen = look_at("front");
  REQUIRE(front_seen.history.size() == 1);
  CHECK(front_seen.history[0].text == "the runner of g1 ended and is replaced");

  caf::anon_send_exit(runners["g1"], caf::exit_reason::kill);
  run();
  CHECK(find(look(), "guest_runner:g1").restarts == 2);
}

TEST_CASE_METHOD(inspection, "a runner whose guest is deleted is gone, and so is what was noted of it") {
  add_guest("g1");
  queue("g1", "delete");
  answer(R"({"guest":{"id":"g1"}})");
  runners.clear();
  const auto all = look();
  CHECK(std::ranges::find(all, "guest_runner:g1", &actor_status::id) == all.end());
}

TEST_CASE_METHOD(inspection, "a database that refuses writes is seen at the job log and at whoever waits for it") {
  add_guest("g1");
  queue("g1", "reboot");
  *disk_full = true;
  answer_guest("g1", "stopped");
  advance(500ms);
  auto all = look();
  CHECK(find(all, "job_log").works_on->doing == "is refused writes by the database");
  CHECK(find(all, "guest_runner:g1").works_on->doing == "waits for the database to take writes again");
  *disk_full = false;
  advance(2s);
  all = look();
  CHECK(find(all, "job_log").state == condition::idle);
  CHECK(find(all, "job_log").last_error->text == "the database refuses writes: database or disk is full");
}

TEST_CASE_METHOD(inspection, "a front that drains tells how many it waits for") {
  add_guest("g1");
  queue("g1", "reboot");
  ask<bool>(front, actors::drain_atom_v);
  CHECK(find(look(), "front").works_on->doing == "waits for runners that finish their stage: 1");
}

TEST_CASE("a presence counts what waits besides what is handled, and says what is handled since when") {
  actors::presence seen;
  const actors::presence::time begin{1h};
  CHECK(seen.idle());
  seen.arrived(), seen.arrived(), seen.arrived();
  CHECK(seen.mailbox() == 3);
  CHECK_FALSE(seen.idle());
  seen.begins(caf::atom("commit"), begin);
  CHECK(seen.mailbox() == 2);
  REQUIRE(seen.at(begin + 5s));
  CHECK(seen.at(begin + 5s)->message == "commit");
  CHECK(seen.at(begin + 5s)->since == 5s);
  seen.ends(true, false);
  CHECK(seen.mailbox() == 2);
  CHECK_FALSE(seen.at(begin));
  seen.begins(caf::atom("skipped"), begin), seen.ends(false, false);
  CHECK(seen.mailbox() == 2);
  for (int i = 0; i < 2; ++i)
    seen.begins(caf::atom("x"), begin), seen.ends(true, i == 0);
  CHECK(seen.idle());
}
