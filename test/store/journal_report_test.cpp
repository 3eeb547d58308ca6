#include "test/store/fixture.hpp"

#include "rpc/model/codec.hpp"

using namespace mistify;
using namespace mistify::store;

namespace {

struct report_fixture : journal_fixture {
  reported_state report(const std::string& id, const std::string& state) {
    return batch([&] { return log->report_state(id, state); });
  }

  /// A guest that its create has left running.
  void add_running(const std::string& id) {
    add_guest(id, "create-" + id, "digest", {{"owner", "ann"}});
    complete("create-" + id, guest_state{"running"});
  }

  std::string state(const std::string& id) { return rpc::decode_guest(doc(id)).state; }
};

} // namespace

TEST_CASE_METHOD(report_fixture, "a guest that changes by itself has another state, and nothing else is new") {
  add_running("g");
  const auto told = report("g", "shutoff");
  CHECK(told.before == "running");
  CHECK(told.guest_doc == doc("g"));
  CHECK(state("g") == "shutoff");
  CHECK(rpc::decode_guest(doc("g")).metadata == rpc::metadata_map{{"owner", "ann"}});
  reopen();
  CHECK(state("g") == "shutoff");
  CHECK(logged_ids() == ids{"create-g"});
}

TEST_CASE_METHOD(report_fixture, "the state that a guest has already is no change") {
  add_running("g");
  const auto told = report("g", "running");
  CHECK(told.before.empty());
  CHECK(told.guest_doc == doc("g"));
}

TEST_CASE_METHOD(report_fixture, "while a job of the guest is queued or runs, its outcome counts") {
  add_running("g");
  add_running("other");
  add_job("j", "g", "start");
  CHECK(failure_of([&] { report("g", "shutoff"); }).code() == rpc::errc::conflict);
  start("j");
  CHECK(failure_of([&] { report("g", "shutoff"); }).code() == rpc::errc::conflict);
  CHECK(report("other", "shutoff").before == "running");
  complete("j");
  CHECK(state("g") == "running");
  CHECK(report("g", "shutoff").before == "running");
}

TEST_CASE_METHOD(report_fixture, "nothing is known of a guest that is not there") {
  CHECK(failure_of([&] { report("g", "shutoff"); }).code() == rpc::errc::not_found);
}

TEST_CASE_METHOD(report_fixture, "a guest whose create failed stays as it is") {
  add_guest("g", "j");
  record({"j", guest_state{"error"}, job_ends{rpc::job_status::error, "no disk"}});
  CHECK(report("g", "shutoff").before.empty());
  CHECK(state("g") == "error");
}

TEST_CASE_METHOD(report_fixture, "a change whose commit fails is not there") {
  add_running("g");
  fail_commit = true;
  CHECK(failure_of([&] { report("g", "shutoff"); }).code() == rpc::errc::storage_failed);
  CHECK(state("g") == "running");
}
