#include "actor_fixture.hpp"

#include <algorithm>

// A job takes its place at the service, then its beginning is recorded, then it is called.

using namespace mistify;
using namespace mistify::test;
using namespace mistify::actors;
using rpc::job_status;

namespace {

/// Guests a, b, c … on a service with one place, or as many as it says.
class place_fixture : public agent_fixture {
public:
  explicit place_fixture(std::size_t width = 1) : agent_fixture{{}, "", width} {
    for (const auto* id : {"a", "b", "c", "d"})
      add_guest(id);
  }

  std::string queue(const std::string& guest, std::string_view action = "restart") {
    const auto queued = ask<store::queued_job>(front, queue_atom_v, guest, job(action));
    REQUIRE(queued->value);
    return queued->value->job.id;
  }
  auto cancel(const std::string& guest, const std::string& job) {
    return ask<rpc::job>(front, cancel_atom_v, guest, job);
  }
  auto metrics(const std::string& guest) {
    return ask<rpc::json::document>(front, info_atom_v, guest, info_request{action("cpuMetrics"), {}});
  }
  job_status status(const std::string& job) const { return job_of(job).status; }

  /// The guests that calls are out for, in the order of the calls.
  std::string out() const {
    std::string all;
    for (const auto& one : sub_agent->calls)
      all += one.call.guest;
    return all;
  }
  /// Answers the oldest call; the guest that it was for.
  std::string finish() {
    const auto guest = sub_agent->calls.front().call.guest;
    answer_guest(guest, "up");
    return guest;
  }
  std::string finish_all() {
    std::string all;
    while (!sub_agent->calls.empty())
      all += finish();
    return all;
  }
};

struct wide_fixture : place_fixture {
  wide_fixture() : place_fixture{4} {}
};

std::size_t running_among(const std::vector<rpc::job>& jobs) {
  return static_cast<std::size_t>(std::ranges::count(jobs, job_status::running, &rpc::job::status));
}

} // namespace

TEST_CASE_METHOD(place_fixture, "with a free place a job is queued and begins in one commit") {
  const auto before = commits.committed.value();
  const auto job = queue("a");
  CHECK(commits.committed.value() == before + 1);
  CHECK(status(job) == job_status::running);
  CHECK(out() == "a");
  CHECK(gate->held() == 1);
}

TEST_CASE_METHOD(place_fixture, "a job that waits for its first place is queued, and begins when it has it") {
  const auto first = queue("a"), second = queue("b");
  CHECK(status(second) == job_status::queued);
  CHECK(job_of(second).started_at == rpc::timestamp{});
  CHECK(out() == "a");
  finish();
  CHECK(status(first) == job_status::complete);
  CHECK(status(second) == job_status::running);
  CHECK(out() == "b");
  finish();
  CHECK(gate->held() == 0);
}

TEST_CASE_METHOD(place_fixture, "a job that waits between its stages runs still, and goes on after a crash") {
  const auto first = queue("a", "reboot"), second = queue("b", "reboot");
  finish();
  CHECK(out() == "b");
  CHECK(status(first) == job_status::running);
  restart();
  CHECK(job_of(second).message == "interrupted by an agent restart in stage 1 (T.Stop)");
  CHECK(status(first) == job_status::running);
  REQUIRE(out() == "a");
  CHECK(sub_agent->calls.front().call.method == "T.Start");
  finish();
  CHECK(status(first) == job_status::complete);
}

TEST_CASE_METHOD(place_fixture, "the place is free when the answer is there, before that is on disk") {
  queue("a");
  const auto second = queue("b");
  *disk_full = true;
  finish();
  CHECK(gate->held() == 0);
  CHECK(status(second) == job_status::queued);
  *disk_full = false;
  advance(2s);
  CHECK(out() == "b");
  CHECK(status(second) == job_status::running);
}

TEST_CASE_METHOD(place_fixture, "the job behind one that ends begins in the same commit only where no other waits") {
  queue("a", "restart");
  const auto next = queue("a", "reboot");
  auto before = commits.committed.value();
  finish();
  CHECK(commits.committed.value() == before + 1);
  CHECK(status(next) == job_status::running);
  const auto last = queue("a");
  queue("b");
  finish();
  CHECK(out() == "b");
  finish();
  finish();
  CHECK(status(next) == job_status::complete);
  CHECK(status(last) == job_status::running);
  CHECK(finish_all() == "a");
  CHECK(gate->held() == 0);
}

TEST_CASE_METHOD(place_fixture, "jobs are served in the order of their acceptance, also after a restart") {
  for (const auto* guest : {"c", "d", "b"})
    queue(guest, "reboot");
  CHECK(out() == "c");
  restart();
  queue("a");
  CHECK(out() == "d");
  // The second stage of an older job comes before the first one of a later.
  CHECK(finish_all() == "dbdba");
  CHECK(gate->held() == 0);
}

TEST_CASE_METHOD(place_fixture, "after a crash only the job that was called out is interrupted") {
  const auto out_there = queue("a", "reboot"), second = queue("b", "reboot"), third = queue("c", "reboot");
  restart();
  CHECK(job_of(out_there).message == "interrupted by an agent restart in stage 1 (T.Stop)");
  finish_all();
  CHECK(status(second) == job_status::complete);
  CHECK(status(third) == job_status::complete);
}

TEST_CASE_METHOD(place_fixture, "a queued job that waits for its place can be cancelled, and the one behind it runs") {
  queue("a");
  const auto job = queue("b"), behind = queue("b", "reboot");
  REQUIRE(cancel("b", job)->value);
  CHECK(job_of(job).message == "cancelled");
  CHECK(finish_all() == "abb");
  CHECK(status(behind) == job_status::complete);
  CHECK(gate->held() == 0);
}

TEST_CASE("a place that is granted at any moment of a cancel comes back") {
  bool over = false;
  for (std::size_t moment = 0; !over; ++moment) {
    INFO("after " << moment << " messages");
    place_fixture f;
    f.queue("a");
    const auto job = f.queue("b");
    f.sub_agent->take().answer(R"({"guest":{"id":"a"}})");
    over = f.scheduler.run(moment) < moment;
    REQUIRE(f.cancel("b", job)->value);
    CHECK(f.job_of(job).message.starts_with("cancelled"));
    CHECK(std::ranges::all_of(f.sub_agent->calls, [](const auto& one) { return one.call.cancel.cancelled(); }));
    f.sub_agent->calls.clear();
    f.run();
    CHECK(f.gate->held() == 0);
    f.queue("c");
    CHECK(f.out() == "c");
  }
}

TEST_CASE_METHOD(place_fixture, "a guest that is deleted while its job waits gives the place back") {
  queue("a");
  const auto waits = queue("b", "reboot"), deleted = queue("b", "delete"), behind = queue("b", "restart");
  REQUIRE(cancel("b", waits)->value);
  finish();
  CHECK(out() == "b");
  finish();
  CHECK(status(deleted) == job_status::complete);
  CHECK(job_of(behind).message == "guest deleted");
  CHECK(gate->held() == 0);
  queue("c");
  CHECK(out() == "c");
}

TEST_CASE("a runner that dies at any moment gives back the place that it waits for") {
  bool over = false;
  for (std::size_t moment = 0; !over; ++moment) {
    INFO("after " << moment << " messages");
    place_fixture f;
    f.queue("a");
    f.queue("b");
    f.sub_agent->take().answer(R"({"guest":{"id":"a"}})");
    over = f.scheduler.run(moment) < moment;
    caf::anon_send_exit(f.runners.at("b"), caf::exit_reason::kill);
    f.run();
    f.sub_agent->calls.clear(); // the call that b may have made: its place goes with it
    f.run();
    CHECK(f.gate->held() == 0);
    f.queue("c");
    CHECK(f.out() == "c");
  }
}

TEST_CASE_METHOD(place_fixture, "jobs that wait for a place stay queued on disk when the agent stops") {
  queue("a");
  const auto waits = queue("b");
  const auto drained = ask<bool>(front, drain_atom_v);
  CHECK_FALSE(drained->answered());
  finish();
  CHECK(drained->answered());
  CHECK(out().empty());
  CHECK(status(waits) == job_status::queued);
  CHECK(gate->held() == 0);
  restart();
  CHECK(finish_all() == "b");
  CHECK(status(waits) == job_status::complete);
}

TEST_CASE_METHOD(place_fixture, "questions and jobs get their places in one order") {
  queue("a");
  metrics("c");
  queue("b");
  metrics("d");
  std::string order;
  while (!sub_agent->calls.empty()) {
    order += sub_agent->calls.front().call.guest;
    answer_guest(sub_agent->calls.front().call.guest, "up");
  }
  CHECK(order == "acbd");
}

TEST_CASE_METHOD(place_fixture, "a service that has to be replaced keeps count of the calls that are out") {
  queue("a");
  caf::anon_send_exit(service, caf::exit_reason::kill);
  run();
  service = track(system.spawn(service_behavior, desk, &actor_registry));
  run();
  const auto job = queue("b");
  CHECK(status(job) == job_status::queued);
  finish();
  CHECK(out() == "b");
  finish();
  CHECK(status(job) == job_status::complete);
  CHECK(gate->held() == 0);
}

TEST_CASE_METHOD(wide_fixture, "never more jobs than there are places have begun and not ended on disk") {
  for (int i = 0; i < 200; ++i)
    add_guest("g" + std::to_string(i));
  caf::scoped_actor client{system};
  for (int i = 0; i < 200; ++i)
    client->send(front, queue_atom_v, "g" + std::to_string(i), job("restart"));
  const store::job_reader reader{path()};
  std::size_t most = 0, round = 0;
  auto seen = commits.committed.value();
  const auto look = [&] {
    if (std::exchange(seen, commits.committed.value()) == seen)
      return;
    most = std::max(most, running_among(reader.latest(200)));
  };
  for (bool more = true; more;) {
    while (scheduler.try_run_once())
      look();
    more = !sub_agent->calls.empty();
    CHECK(sub_agent->calls.size() <= 4);
    // One to all of those that are out.
    for (auto n = std::min(sub_agent->calls.size(), ++round % 4 + 1); n > 0; --n) {
      const auto one = sub_agent->take();
      one.answer(R"({"guest":{"id":")" + one.call.guest + R"("}})");
    }
  }
  CHECK(most == 4);
  const auto all = reader.latest(200);
  CHECK(std::ranges::all_of(all, [](const rpc::job& one) { return one.status == job_status::complete; }));
  CHECK(gate->held() == 0);
}
