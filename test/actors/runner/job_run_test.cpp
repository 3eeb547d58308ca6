#include "actors/runner/job_run.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::actors;
using namespace std::chrono_literals;
using rpc::errc;
using rpc::failure;
using rpc::job_status;

namespace {

const std::string guest_id = "44444444-4444-4444-4444-444444444444";
const auto json = rpc::json::document::parse;
const auto guest_answer = json(R"({"guest":{"id":")" + guest_id + R"(","state":"up"}})");

/// A run on services with places of their own, the test being log, service and clock.
class run_fixture {
public:
  explicit run_fixture(std::string_view action = "reboot", bool forced = false, bool needs_places = true) {
    const auto config = parse_config({{"test", R"({"services":{"a":{"port":1},"b":{"port":2}},"actions":{
      "create":{"stages":[{"service":"a","method":"T.Create"}]},
      "adopt":{"stages":[{"service":"a","method":"T.Adopt"},{"service":"a","method":"T.Note"}]},
      "delete":{"stages":[{"service":"a","method":"T.Delete"}]},
      "reboot":{"stages":[{"service":"a","method":"T.Stop"},{"service":"a","method":"T.Start"}]},
      "restart":{"stages":[{"service":"a","method":"T.One"},{"service":"b","method":"T.Two"}]},
      "suspend":{"stages":[]}}})"}});
    run.emplace(job_run::job{"j", guest_id, pipeline{config.find_action(action), "{}", 2}, forced, needs_places},
                [this](const stage& next, const place_ptr& held) { return find_place(next, held); });
  }

  place_ptr find_place(const stage& next, const place_ptr& held) {
    auto& gate = *gates.at(next.service == "a" ? 0 : 1);
    if (held && &held->of() == &gate)
      return held->keep() ? held : nullptr;
    auto claim = gate.claim();
    return claim->holds() ? claim : nullptr;
  }

  /// The only command of these.
  template <class Command>
  static Command only(job_run::commands all) {
    REQUIRE(all.size() == 1);
    REQUIRE(std::holds_alternative<Command>(all.front()));
    return std::get<Command>(std::move(all.front()));
  }
  /// The step of the only command of these; its place is let go.
  static store::job_step step(job_run::commands all) { return only<job_run::save>(std::move(all)).step; }
  template <class Next>
  static Next next_of(job_run::commands all) {
    auto saved = step(std::move(all));
    REQUIRE(std::holds_alternative<Next>(saved.next));
    return std::get<Next>(std::move(saved.next));
  }
  /// The end that these save; they do nothing else but drop what is out.
  static store::job_ends end(job_run::commands all) {
    if (std::holds_alternative<job_run::drop>(all.front()))
      all.erase(all.begin());
    return next_of<store::job_ends>(std::move(all));
  }

  job_run::commands recorded(const store::job_step& taken, bool removed = false) {
    return run->recorded(taken, {{}, removed ? std::string{} : R"({"id":")" + guest_id + R"("})"});
  }
  job_run::commands refused(const store::job_step& taken, errc why = errc::storage_failed) {
    return run->refused(taken, {why, "refused"});
  }

  /// Up to the first call.
  job_run::call begin() {
    only<job_run::await_place>(run->begin());
    return only<job_run::call>(recorded(step(run->place_granted(gates[0]->claim()))));
  }

  std::size_t held() const { return gates[0]->held(); }

  std::array<std::shared_ptr<places>, 2> gates{std::make_shared<places>(1), std::make_shared<places>(1)};
  std::optional<job_run> run;
};

struct forced_fixture : run_fixture {
  forced_fixture() : run_fixture{"delete", true} {}
};

} // namespace

// -- the first stage ---------------------------------------------------------------------------------------------

TEST_CASE_METHOD(run_fixture, "a job gets its place first, then its beginning is recorded, then it is called") {
  CHECK(run->is<job_run::fresh>());
  CHECK_FALSE(only<job_run::await_place>(run->begin()).claim);
  CHECK(run->is<job_run::waiting_for_place>());
  CHECK_FALSE(run->busy());
  const auto saved = step(run->place_granted(gates[0]->claim()));
  CHECK(std::get<store::stage_starts>(saved.next).name == "T.Stop");
  CHECK(run->is<job_run::saving>());
  CHECK_FALSE(run->what().begun);
  const auto out = only<job_run::call>(recorded(saved));
  CHECK(run->is<job_run::calling>());
  CHECK(run->what().begun);
  CHECK(out.place->holds());
  CHECK(out.request.find(guest_id) != std::string::npos);
}

TEST_CASE_METHOD(run_fixture, "a job that has a claim waits with it") {
  const auto other = gates[0]->claim();
  const auto claim = gates[0]->claim();
  CHECK(only<job_run::await_place>(run->begin(claim)).claim == claim);
}

TEST_CASE_METHOD(run_fixture, "a job whose beginning is on disk is called at once") {
  const auto out = only<job_run::call>(run->begun("{}", gates[0]->claim()));
  CHECK(out.place->holds());
  CHECK(run->is<job_run::calling>());
  CHECK(run->what().begun);
}

TEST_CASE("a job with places of its own asks for none") {
  run_fixture f{"reboot", false, false};
  const auto first = f.step(f.run->begin());
  CHECK_FALSE(f.only<job_run::call>(f.recorded(first)).place);
  CHECK(f.next_of<store::stage_starts>(f.run->answered(guest_answer)).index == 1);
}

TEST_CASE("a job without stages completes") {
  run_fixture f{"suspend"};
  const auto saved = f.step(f.run->begin());
  CHECK(std::get<store::job_ends>(saved.next).status == job_status::complete);
  CHECK(f.run->is<job_run::ending>());
  CHECK(f.only<job_run::finish>(f.recorded(saved)).how->status == job_status::complete);
  CHECK(f.run->is<job_run::over>());
}

TEST_CASE_METHOD(run_fixture, "a service that has no room for those that wait fails the job") {
  run->begin();
  CHECK(end(run->failed({errc::queue_full, "too many"})).message == "too many");
}

// -- from stage to stage -----------------------------------------------------------------------------------------

TEST_CASE_METHOD(run_fixture, "the place is kept for the next stage while no other job waits") {
  const auto first = begin().place;
  auto saved = only<job_run::save>(run->answered(guest_answer));
  CHECK(std::get<store::stage_starts>(saved.step.next).index == 1);
  CHECK(std::holds_alternative<store::guest_returned>(saved.step.change));
  CHECK_FALSE(saved.spent);
  CHECK(only<job_run::call>(recorded(saved.step)).place == first);
}

TEST_CASE_METHOD(run_fixture, "a job gives its place to those that wait once its answer is on the way to the disk") {
  begin();
  const auto other = gates[0]->claim();
  auto saved = only<job_run::save>(run->answered(guest_answer));
  CHECK(std::get<store::stage_paused>(saved.step.next).index == 1);
  CHECK(held() == 1);
  saved.spent.reset();
  CHECK(held() == 0);
  CHECK(other->take());
  only<job_run::await_place>(recorded(saved.step));
  CHECK(run->is<job_run::waiting_for_place>());
  CHECK(next_of<store::stage_starts>(run->place_granted(gates[0]->claim())).index == 1);
}

TEST_CASE("a stage at another service exchanges the place") {
  run_fixture f{"restart"};
  f.begin();
  auto saved = f.only<job_run::save>(f.run->answered(guest_answer));
  CHECK(std::get<store::stage_starts>(saved.step.next).name == "T.Two");
  CHECK(saved.spent->holds());
  saved.spent.reset();
  CHECK(f.held() == 0);
  CHECK(&f.only<job_run::call>(f.recorded(saved.step)).place->of() == f.gates[1].get());
}

TEST_CASE("a stage waits for its place at another service without the place of the one before") {
  run_fixture f{"restart"};
  f.begin();
  const auto other = f.gates[1]->claim();
  auto saved = f.only<job_run::save>(f.run->answered(guest_answer));
  CHECK(std::holds_alternative<store::stage_paused>(saved.step.next));
  saved.spent.reset();
  CHECK(f.held() == 0);
}

TEST_CASE_METHOD(run_fixture, "the last answer ends the job and gives the place back with its step") {
  begin();
  recorded(step(run->answered(guest_answer)));
  auto saved = only<job_run::save>(run->answered(guest_answer));
  CHECK(std::get<store::job_ends>(saved.step.next).status == job_status::complete);
  CHECK(saved.spent->holds());
  CHECK(run->is<job_run::ending>());
  CHECK(run->busy());
  only<job_run::finish>(recorded(saved.step));
  saved.spent.reset();
  CHECK(held() == 0);
}

TEST_CASE("a delete removes its guest, a failed create leaves it in error") {
  run_fixture deleted{"delete"};
  deleted.begin();
  CHECK(std::holds_alternative<store::guest_removed>(deleted.step(deleted.run->answered(guest_answer)).change));
  run_fixture created{"create"};
  created.begin();
  const auto saved = created.step(created.run->failed({errc::sub_agent_failed, "no space"}));
  CHECK(std::get<store::guest_state>(saved.change).state == "error");
  CHECK(std::get<store::job_ends>(saved.next).message == "no space");
}

TEST_CASE("an adoption that fails removes its guest, whatever its stages had returned") {
  run_fixture failed{"adopt"};
  failed.begin();
  CHECK(
    std::holds_alternative<store::guest_removed>(failed.step(failed.run->failed({errc::sub_agent_failed, ""})).change));
  run_fixture refused{"adopt"};
  refused.begin();
  const auto saved =
    refused.step(refused.refused(refused.step(refused.run->answered(guest_answer)), errc::sub_agent_conflict));
  CHECK(std::get<store::job_ends>(saved.next).code == rpc::job_code::conflict);
  CHECK(std::holds_alternative<store::guest_removed>(saved.change));
  run_fixture cancelled{"adopt"};
  cancelled.begin();
  cancelled.refused(cancelled.step(cancelled.run->answered(guest_answer)));
  auto todo = cancelled.run->cancel();
  REQUIRE(todo.has_value());
  CHECK(std::holds_alternative<store::guest_removed>(cancelled.step(std::move(*todo)).change));
}

TEST_CASE_METHOD(run_fixture, "an answer that makes no sense fails the job") {
  begin();
  CHECK(end(run->answered(json(R"({"guest":{"id":"another"}})"))).status == job_status::error);
  CHECK(held() == 0);
}

TEST_CASE_METHOD(run_fixture, "a stage that asks for a retry pauses without a place, and asks for one again") {
  begin();
  auto saved = only<job_run::save>(run->answered(json(R"({"retry":5})")));
  CHECK(std::get<store::stage_paused>(saved.step.next).index == 0);
  saved.spent.reset();
  CHECK(held() == 0);
  CHECK(only<job_run::wait>(recorded(saved.step)).length == 5s);
  CHECK(run->is<job_run::pausing>());
  only<job_run::await_place>(run->resumed());
  CHECK(run->is<job_run::waiting_for_place>());
}

TEST_CASE_METHOD(forced_fixture, "a forced job goes past a stage that fails and says so") {
  begin();
  const auto saved = step(run->failed({errc::sub_agent_failed, "no domain"}));
  CHECK(std::get<store::job_ends>(saved.next).message == "forced past: no domain");
  CHECK(saved.skipped_because == "no domain");
  CHECK(std::holds_alternative<store::guest_removed>(saved.change));
}

TEST_CASE("a delete that is raised while it runs goes past its failure") {
  run_fixture f{"delete"};
  f.begin();
  f.run->force();
  CHECK(f.end(f.run->failed({errc::sub_agent_failed, "busy"})).status == job_status::complete);
}

// -- the disk ----------------------------------------------------------------------------------------------------

TEST_CASE_METHOD(run_fixture, "a beginning that the database refuses gives the place back and asks again later") {
  run->begin();
  auto saved = only<job_run::save>(run->place_granted(gates[0]->claim()));
  CHECK(only<job_run::wait>(refused(saved.step)).length == 1s);
  CHECK(run->is<job_run::blocked>());
  CHECK_FALSE(run->busy());
  CHECK(held() == 0);
  const auto again = step(run->resumed());
  CHECK(std::holds_alternative<store::stage_paused>(again.next));
  only<job_run::await_place>(recorded(again));
  CHECK_FALSE(run->what().begun);
}

TEST_CASE_METHOD(run_fixture, "what a stage did is kept until the database takes it") {
  begin();
  refused(step(run->answered(guest_answer)));
  const auto again = step(run->resumed());
  CHECK(std::get<store::guest_returned>(again.change).guest.state == "up");
  CHECK(std::get<store::stage_paused>(again.next).index == 1);
  only<job_run::wait>(refused(again));
}

TEST_CASE("an end that the database refuses is offered again, without the job that was to follow") {
  run_fixture f{"create"};
  f.begin();
  auto saved = f.step(f.run->answered(guest_answer));
  saved.then = store::job_start{"next", {}};
  f.refused(saved);
  CHECK_FALSE(f.run->cancel().has_value());
  const auto again = f.step(f.run->resumed());
  CHECK(f.run->is<job_run::ending>());
  CHECK(std::get<store::job_ends>(again.next).status == job_status::complete);
  CHECK_FALSE(again.then);
}

TEST_CASE_METHOD(run_fixture, "a guest that cannot be stored fails the stage that returned it") {
  begin();
  const auto saved = step(refused(step(run->answered(guest_answer)), errc::sub_agent_failed));
  CHECK(std::get<store::job_ends>(saved.next).message == "refused");
  CHECK(std::holds_alternative<store::guest_unchanged>(saved.change));
}

TEST_CASE_METHOD(run_fixture, "a job that the log has ended is over") {
  begin();
  CHECK_FALSE(only<job_run::finish>(refused(step(run->answered(guest_answer)), errc::conflict)).how);
  CHECK(run->is<job_run::over>());
  CHECK(held() == 0);
  CHECK_FALSE(run->cancel().has_value());
}

// -- cancel ------------------------------------------------------------------------------------------------------

TEST_CASE_METHOD(run_fixture, "a job that waits for its first place is cancelled as one that never began") {
  run->begin();
  auto todo = run->cancel();
  REQUIRE(todo.has_value());
  REQUIRE(todo->size() == 2);
  CHECK(std::holds_alternative<job_run::drop>(todo->front()));
  CHECK(end(*std::move(todo)).message == "cancelled");
  CHECK(run->cancelled());
  CHECK_FALSE(run->cancel().has_value());
}

TEST_CASE_METHOD(run_fixture, "a call is dropped when its job is cancelled, and its place goes back") {
  begin();
  auto todo = run->cancel();
  REQUIRE(todo.has_value());
  CHECK(std::holds_alternative<job_run::drop>(todo->front()));
  CHECK(end(*std::move(todo)).message == "cancelled in stage 1 (T.Stop)");
  CHECK(held() == 0);
}

TEST_CASE_METHOD(run_fixture, "a job that is cancelled while its beginning is saved ends without a call") {
  run->begin();
  const auto saved = step(run->place_granted(gates[0]->claim()));
  REQUIRE(run->cancel().has_value());
  CHECK_FALSE(run->cancel().has_value());
  auto todo = only<job_run::save>(recorded(saved));
  CHECK(std::get<store::job_ends>(todo.step.next).message == "cancelled in stage 1 (T.Stop)");
  CHECK(todo.spent->holds());
}

TEST_CASE_METHOD(run_fixture, "a cancel that meets a database without room keeps what the stage did") {
  begin();
  const auto saved = step(run->answered(guest_answer));
  REQUIRE(run->cancel().has_value());
  refused(saved);
  const auto again = step(run->resumed());
  CHECK(std::get<store::job_ends>(again.next).message == "cancelled in stage 2 (T.Start)");
  CHECK(std::holds_alternative<store::guest_returned>(again.change));
  CHECK(run->is<job_run::ending>());
}

TEST_CASE_METHOD(run_fixture, "a cancel while a step is blocked saves its change with the end") {
  begin();
  refused(step(run->answered(guest_answer)));
  auto todo = run->cancel();
  REQUIRE(todo.has_value());
  CHECK(std::holds_alternative<store::guest_returned>(step(*std::move(todo)).change));
}

TEST_CASE_METHOD(run_fixture, "a cancel counts although the guest that the stage returned cannot be stored") {
  begin();
  const auto saved = step(run->answered(guest_answer));
  REQUIRE(run->cancel().has_value());
  CHECK(end(refused(saved, errc::sub_agent_failed)).message == "cancelled in stage 1 (T.Stop)");
}

TEST_CASE_METHOD(run_fixture, "a pause ends when its job is cancelled") {
  begin();
  recorded(step(run->answered(json(R"({"retry":5})"))));
  auto todo = run->cancel();
  REQUIRE(todo.has_value());
  CHECK(end(*std::move(todo)).message == "cancelled in stage 1 (T.Stop)");
  CHECK(run->resumed().empty());
}

TEST_CASE_METHOD(run_fixture, "a job that is ending cannot be cancelled") {
  begin();
  run->failed({errc::sub_agent_failed, "boom"});
  CHECK_FALSE(run->cancel().has_value());
  CHECK_FALSE(run->cancelled());
}

// -- the agent stops ---------------------------------------------------------------------------------------------

TEST_CASE_METHOD(run_fixture, "a job that waits for a place is parked when the agent stops") {
  run->begin();
  only<job_run::drop>(run->drain());
  CHECK(run->is<job_run::parked>());
  CHECK_FALSE(run->busy());
  CHECK(run->cancel().has_value());
}

TEST_CASE_METHOD(run_fixture, "a call finishes when the agent stops, and no other stage begins") {
  begin();
  CHECK(run->drain().empty());
  CHECK(run->busy());
  auto saved = only<job_run::save>(run->answered(guest_answer));
  CHECK(std::get<store::stage_paused>(saved.step.next).index == 1);
  CHECK(saved.spent->holds());
  CHECK(recorded(saved.step).empty());
  CHECK(run->is<job_run::parked>());
}

TEST_CASE_METHOD(run_fixture, "a pause is not ended when the agent stops") {
  begin();
  recorded(step(run->answered(json(R"({"retry":5})"))));
  CHECK(run->drain().empty());
  CHECK(run->is<job_run::parked>());
  CHECK(run->resumed().empty());
}

TEST_CASE_METHOD(run_fixture, "a retry that is asked for while the agent stops is for after the restart") {
  begin();
  run->drain();
  CHECK(recorded(step(run->answered(json(R"({"retry":5})")))).empty());
  CHECK(run->is<job_run::parked>());
}

TEST_CASE_METHOD(run_fixture, "a stage whose beginning is on its way is called although the agent stops") {
  run->begin();
  const auto saved = step(run->place_granted(gates[0]->claim()));
  run->drain();
  only<job_run::call>(recorded(saved));
  CHECK(run->busy());
}
