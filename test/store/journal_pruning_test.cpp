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
  CHECK(logged_ids() == ids{"3", "2"});
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
