#include "actor_fixture.hpp"

#include <algorithm>

// A job's steps travel between actors: what comes from outside may fall between any two of their messages.

using namespace mistify;
using namespace mistify::test;
using namespace mistify::actors;
using rpc::errc;
using rpc::job_status;

namespace {

const std::string guest_id = "33333333-3333-3333-3333-333333333333";

struct moment_fixture : agent_fixture {
  moment_fixture() : client{system} { add_guest(guest_id); }

  auto queue(std::string_view name) { return client->request(front, caf::infinite, queue_atom_v, guest_id, job(name)); }

  /// The id of the job that was queued, or nothing if the agent was stopping.
  template <class Response>
  std::optional<std::string> id_of(Response& queued) {
    std::optional<std::string> id;
    queued.receive([&](const store::queued_job& as) { id = as.job.id; },
                   [](const caf::error& e) { CHECK(to_failure(e).code() == errc::unavailable); });
    return id;
  }

  /// Runs until the agent may stop, and no further; how many calls were answered for that.
  std::size_t drain() {
    auto drained = std::make_shared<bool>(false);
    track(system.spawn([=, this](caf::event_based_actor* self) {
      self->request(front, caf::infinite, drain_atom_v).then([=](bool) { *drained = true; });
    }));
    std::size_t count = 0;
    while (!*drained)
      if (!scheduler.try_run_once()) {
        ++count;
        sub_agent->take().answer(R"({"guest":{"id":")" + guest_id + R"("}})");
      }
    return count;
  }

  /// Answers every call, and those that follow, until none is out; how many there were.
  std::size_t answer_all() {
    std::size_t count = 0;
    for (; !sub_agent->calls.empty(); ++count)
      answer_guest(guest_id, "running");
    return count;
  }

  caf::scoped_actor client;
};

/// Does `scenario` at the 0th, 1st, … message that the scheduler runs, until it runs no more.
template <class F>
void at_every_moment(const F& scenario) {
  std::size_t moment = 0;
  for (bool over = false; !over; ++moment) {
    INFO("after " << moment << " messages");
    over = scenario(moment);
  }
  CHECK(moment > 5);
}

} // namespace

TEST_CASE("draining at any moment loses no job, and no call is made twice or given up") {
  at_every_moment([](std::size_t moment) {
    moment_fixture f;
    auto one = f.queue("reboot"), two = f.queue("reboot");
    std::size_t calls = 0;
    auto left = moment;
    for (bool more = true; left > 0 && more; ++calls) { // the sub-agent answers at once
      left -= f.scheduler.run(left);
      more = !f.sub_agent->calls.empty();
      if (!more)
        break;
      f.sub_agent->take().answer(R"({"guest":{"id":")" + guest_id + R"("}})");
    }
    calls += f.drain();
    f.restart();
    calls += f.answer_all();
    const auto jobs = store::job_reader{f.path()}.latest_of(guest_id, 10);
    for (const auto& job : jobs) {
      INFO(job.message);
      CHECK(job.status == job_status::complete);
    }
    CHECK(calls == 2 * (jobs.size() - 1)); // without the create
    for (auto* queued : {&one, &two})      // whoever was told that his job is queued finds it
      if (const auto id = f.id_of(*queued))
        f.job_of(*id);
    return left > 0;
  });
}

TEST_CASE("whoever is told that his job is queued may cancel it at once") {
  moment_fixture f;
  std::optional<rpc::outcome<rpc::job>> cancelled;
  f.track(f.system.spawn([&](caf::event_based_actor* self) {
    self->request(f.front, caf::infinite, queue_atom_v, guest_id, f.job("restart"))
      .then([&, self](const store::queued_job& as) {
        self->request(f.front, caf::infinite, cancel_atom_v, guest_id, as.job.id)
          .then([&](const rpc::job& job) { cancelled = job; }, [&](const caf::error& e) { cancelled = to_failure(e); });
      });
  }));
  f.run();
  REQUIRE(cancelled);
  const auto* job = std::get_if<rpc::job>(&*cancelled);
  REQUIRE(job);
  CHECK(job->message.starts_with("cancelled"));
  CHECK(f.sub_agent->take().call.cancel.cancelled());
}

TEST_CASE("a job that waits can be cancelled at any moment of the end of the one before it") {
  at_every_moment([](std::size_t moment) {
    moment_fixture f;
    auto first = f.queue("restart"), second = f.queue("restart");
    f.run();
    f.id_of(first);
    const auto id = f.id_of(second).value();
    f.sub_agent->take().answer(R"({"guest":{"id":")" + guest_id + R"("}})");
    const bool over = f.scheduler.run(moment) < moment;
    const auto cancelled = f.ask<rpc::job>(f.front, cancel_atom_v, guest_id, id);
    REQUIRE(cancelled->value);
    CHECK(cancelled->value->message.starts_with("cancelled"));
    CHECK(f.job_of(id).status == job_status::error);
    CHECK(std::ranges::all_of(f.sub_agent->calls, [](const auto& out) { return out.call.cancel.cancelled(); }));
    f.sub_agent->calls.clear();
    auto third = f.queue("restart");
    f.run();
    f.answer_guest(guest_id, "running");
    CHECK(f.job_of(f.id_of(third).value()).status == job_status::complete);
    return over;
  });
}

TEST_CASE("a database that refuses writes at any moment leaves each job to run once it takes them") {
  at_every_moment([](std::size_t moment) {
    moment_fixture f;
    auto first = f.queue("restart"), second = f.queue("restart");
    f.run();
    f.sub_agent->take().answer(R"({"guest":{"id":")" + guest_id + R"("}})");
    const bool over = f.scheduler.run(moment) < moment;
    *f.disk_full = true;
    f.run();
    f.answer_all();
    *f.disk_full = false;
    f.advance(1s);
    f.answer_all();
    CHECK(f.job_of(f.id_of(first).value()).status == job_status::complete);
    CHECK(f.job_of(f.id_of(second).value()).status == job_status::complete);
    return over;
  });
}

TEST_CASE("a create at any moment of the end of a delete is refused, or runs") {
  for (const bool full : {false, true})
    at_every_moment([full](std::size_t moment) {
      moment_fixture f;
      rpc::guest again;
      again.id = guest_id;
      auto deleted = f.queue("delete");
      f.run();
      f.sub_agent->take().answer(R"({"guest":{"id":")" + guest_id + R"("}})");
      *f.disk_full = full;
      const bool over = f.scheduler.run(moment) < moment;
      const auto created = f.ask<store::queued_job>(f.front, create_atom_v, again, f.job("create", "another"));
      *f.disk_full = false;
      f.advance(1s);
      REQUIRE(created->answered());
      CHECK(f.job_of(f.id_of(deleted).value()).status == job_status::complete);
      if (created->value) {
        REQUIRE(f.sub_agent->calls.size() == 1);
        f.answer_guest(guest_id, "running");
        CHECK(f.job_of(created->value->job.id).status == job_status::complete);
        CHECK(f.ask<store::queued_job>(f.front, queue_atom_v, guest_id, f.job("reboot"))->value);
      } else {
        const auto code = created->error->code();
        CHECK((code == errc::conflict || (full && code == errc::storage_failed)));
      }
      return over;
    });
}
