#include "test/store/fixture.hpp"

using namespace mistify;
using namespace mistify::store;

namespace {

struct progress_fixture : journal_fixture {
  progress_fixture() { add_job("j", "agent", "fetchImage"); }

  rpc::job tell(const std::string& message, const std::string& job = "j") {
    return batch([&] { return log->report_progress(job, {message}); });
  }

  std::string message() { return job("j").message; }
};

} // namespace

TEST_CASE_METHOD(progress_fixture, "what a running job's stage tells is its message, also after a crash") {
  start("j");
  const auto told = tell("1 of 3");
  CHECK(told.message == "1 of 3");
  CHECK(told.status == rpc::job_status::running);
  CHECK(told.updated_at == at_second(clock));
  CHECK(message() == "1 of 3");
  CHECK(tell("2 of 3").message == "2 of 3");
  crash();
  CHECK(message() == "2 of 3");
  CHECK(unfinished_ids() == ids{"j"});
}

TEST_CASE_METHOD(progress_fixture, "the end of a job has its own message") {
  start("j");
  tell("2 of 3");
  CHECK(complete("j").job.message.empty());
  CHECK(message().empty());
  add_job("failing", "agent");
  start("failing");
  tell("1 of 3", "failing");
  record({"failing", guest_unchanged{}, job_ends{rpc::job_status::error, "no such image"}});
  CHECK(job("failing").message == "no such image");
}

TEST_CASE_METHOD(progress_fixture, "what one stage told is not said of the next, nor of a stage that waits") {
  start("j");
  tell("2 of 3");
  start("j", 1);
  CHECK(message().empty());
  tell("1 of 9");
  record({"j", guest_unchanged{}, stage_paused{1}});
  CHECK(message().empty());
}

TEST_CASE_METHOD(progress_fixture, "only a job that runs tells how far it is") {
  CHECK(failure_of([&] { tell("1 of 3", "none"); }).code() == rpc::errc::not_found);
  CHECK(failure_of([&] { tell("1 of 3"); }).code() == rpc::errc::conflict);
  start("j");
  complete("j");
  CHECK(failure_of([&] { tell("1 of 3"); }).code() == rpc::errc::conflict);
  CHECK(message().empty());
}

TEST_CASE_METHOD(progress_fixture, "progress is no event") {
  start("j");
  const auto before = job_reader{path}.events_after(0, 100).size();
  tell("1 of 3");
  CHECK(job_reader{path}.events_after(0, 100).size() == before);
}
