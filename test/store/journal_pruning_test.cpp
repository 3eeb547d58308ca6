#include "test/store/fixture.hpp"

using namespace mistify;
using namespace mistify::store;

namespace {

struct pruning_fixture : journal_fixture {
  pruning_fixture() {
    keep_jobs = 2;
    reopen();
  }

  void run(const std::string& job) {
    add_job(job, "agent");
    complete(job);
  }
};

} // namespace

TEST_CASE_METHOD(pruning_fixture, "only the newest ended jobs are kept") {
  for (auto job : {"1", "2", "3", "4"})
    run(job);
  CHECK(logged_ids() == ids{"4", "3"});
  reopen();
  run("5");
  CHECK(logged_ids() == ids{"5", "4"});
}

TEST_CASE_METHOD(pruning_fixture, "a job that has not ended stays however old it is") {
  add_job("queued", "agent");
  add_job("running", "agent");
  start("running");
  for (auto job : {"1", "2", "3"})
    run(job);
  CHECK(logged_ids() == ids{"3", "2", "running", "queued"});
  reopen();
  run("4");
  CHECK(unfinished_ids() == ids{"queued", "running"});
}

TEST_CASE_METHOD(pruning_fixture, "newest means by the order of ending, so that nobody misses how a long job ended") {
  for (auto job : {"1", "2", "3"})
    add_job(job, "agent");
  for (auto job : {"3", "2", "1"})
    complete(job);
  CHECK(logged_ids() == ids{"2", "1"});
}

TEST_CASE_METHOD(pruning_fixture, "jobs that a delete ends count too") {
  add_guest("g", "create");
  for (auto job : {"1", "2", "3"})
    add_job(job, "g");
  complete("create", guest_removed{});
  CHECK(logged_ids() == ids{"3", "create"}); // which ended last, after those that it ended
}

TEST_CASE_METHOD(pruning_fixture, "a batch that fails does not change the count") {
  run("1");
  add_job("2", "agent");
  for (int i = 0; i < 3; ++i) {
    fail_commit = true;
    CHECK_THROWS_AS(complete("2"), rpc::failure);
  }
  complete("2");
  CHECK(logged_ids() == ids{"2", "1"});
  run("3");
  CHECK(logged_ids() == ids{"3", "2"});
}

TEST_CASE_METHOD(pruning_fixture, "many jobs may end in one batch") {
  log->begin();
  for (auto job : {"1", "2", "3", "4", "5"})
    log->add_job({job, "agent", "fetchImage", "", "", ""});
  for (auto job : {"1", "2", "3", "4", "5"})
    log->record({job, guest_unchanged{}, job_ends{}});
  log->commit();
  CHECK(logged_ids() == ids{"5", "4"});
}

TEST_CASE("a log whose bound was lowered shrinks little by little") {
  journal_fixture f;
  f.log->begin();
  for (int i = 0; i < 250; ++i) {
    f.log->add_job({std::to_string(i), "agent", "fetchImage", "", "", ""});
    f.log->record({std::to_string(i), guest_unchanged{}, job_ends{}});
  }
  f.log->commit();
  f.keep_jobs = 10;
  f.reopen();
  auto run = [&](const std::string& job) {
    f.add_job(job, "agent");
    f.complete(job);
    return f.logged_ids().size();
  };
  CHECK(run("a") == 150);
  CHECK(run("b") == 50);
  CHECK(run("c") == 10);
  CHECK(run("d") == 10);
}

TEST_CASE_METHOD(pruning_fixture, "a clock that is set back does not make new jobs old ones") {
  clock = 10'000;
  run("1");
  run("2");
  clock = 0;
  run("3");
  run("4");
  CHECK(logged_ids() == ids{"4", "3"});
}

namespace {

struct age_fixture : pruning_fixture {
  age_fixture() {
    keep_for = std::chrono::seconds{60};
    reopen();
  }
};

} // namespace

TEST_CASE_METHOD(age_fixture, "jobs that ended a moment ago are kept however many end") {
  for (auto job : {"1", "2", "3", "4"})
    run(job);
  CHECK(logged_ids() == ids{"4", "3", "2", "1"});
  uptime += std::chrono::seconds{30};
  run("5");
  CHECK(logged_ids().size() == 5);
  uptime += std::chrono::seconds{31};
  run("6");
  CHECK(logged_ids() == ids{"6", "5"});
}

TEST_CASE_METHOD(age_fixture, "a job that ends where another one goes has an age, too") {
  const auto later = [this](int minutes) { uptime = std::chrono::seconds{61 * minutes}; };
  for (auto job : {"1", "2", "3"})
    run(job);
  later(1);
  run("4");
  CHECK(logged_ids() == ids{"4", "3"});
  later(2);
  run("5");
  run("6");
  CHECK(logged_ids() == ids{"6", "5"});
  later(3);
  run("7");
  CHECK(logged_ids() == ids{"7", "6"});
}

TEST_CASE_METHOD(age_fixture, "the age of a job is no matter of the wall clock") {
  for (auto job : {"1", "2", "3"})
    run(job);
  clock += 1'000'000;
  run("4");
  clock = 0;
  run("5");
  CHECK(logged_ids() == ids{"5", "4", "3", "2", "1"});
}

TEST_CASE_METHOD(age_fixture, "ages begin anew at a restart") {
  for (auto job : {"1", "2", "3"})
    run(job);
  uptime = std::chrono::seconds{50};
  reopen();
  uptime = std::chrono::seconds{100};
  run("4");
  CHECK(logged_ids().size() == 4);
  uptime = std::chrono::seconds{111};
  run("5");
  CHECK(logged_ids() == ids{"5", "4"});
}

TEST_CASE_METHOD(age_fixture, "beyond the largest number the job that ended first goes, however young") {
  most_jobs = 3;
  reopen();
  for (auto job : {"1", "2", "3"})
    add_job(job, "agent");
  for (auto job : {"3", "1", "2"})
    complete(job);
  run("4");
  CHECK(logged_ids() == ids{"4", "2", "1"});
  run("5");
  CHECK(logged_ids() == ids{"5", "4", "2"});
}

TEST_CASE_METHOD(pruning_fixture, "the job that answers a repeated create is in the log, also if it had left it") {
  const bool failed = GENERATE(false, true);
  const auto first = add_guest("g", "create");
  complete("create", guest_state{failed ? "error" : "running"});
  for (auto job : {"1", "2", "3"})
    run(job);
  REQUIRE(logged_ids() == ids{"3", "2"});
  const auto again = add_guest("g", "again");
  CHECK(again.repeated);
  CHECK(again.job.id == "create");
  CHECK(again.guest_doc == first.guest_doc);
  CHECK(job("create").status == (failed ? rpc::job_status::error : rpc::job_status::complete));
  CHECK(job("create").queued_at == first.job.queued_at);
  CHECK(logged_ids() == ids{"create", "3"});
  CHECK(add_guest("g", "again").job.id == "create");
  CHECK(logged_ids() == ids{"create", "3"});
  reopen();
  run("4");
  CHECK(logged_ids() == ids{"4", "create"});
}
