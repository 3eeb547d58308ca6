#include "test/store/fixture.hpp"

#include "rpc/model/codec.hpp"

using namespace mistify;
using namespace mistify::store;

namespace {

rpc::guest returned_guest(std::string id, rpc::metadata_map metadata = {}) {
  rpc::guest guest;
  guest.id = std::move(id);
  guest.state = "running";
  guest.metadata = std::move(metadata);
  return guest;
}

} // namespace

TEST_CASE("a job runs from its first stage on and keeps the time of that") {
  journal_fixture f;
  f.add_guest("g", "j"); // second 1
  auto first = f.start("j", 0);
  CHECK(first.job.status == rpc::job_status::running);
  CHECK(first.job.started_at == at_second(2));
  CHECK(first.job.updated_at == at_second(2));
  CHECK(first.guest_doc == f.doc("g"));
  auto second = f.start("j", 1);
  CHECK(second.job.started_at == at_second(2));
  CHECK(second.job.updated_at == at_second(3));
  auto end = f.record({"j", guest_unchanged{}, job_ends{rpc::job_status::error, "no disk"}});
  CHECK(end.job.status == rpc::job_status::error);
  CHECK(end.job.message == "no disk");
  CHECK(end.job.started_at == at_second(2));
  CHECK(end.job.updated_at == at_second(4));
  CHECK(rpc::encode(f.job("j")) == rpc::encode(end.job));
  CHECK(f.unfinished_ids().empty());
}

TEST_CASE("a stage that waits leaves the job's status and start as they are") {
  journal_fixture f;
  f.add_guest("g", "j");
  CHECK(f.record({"j", guest_unchanged{}, stage_paused{0}}).job.status == rpc::job_status::queued);
  f.start("j");
  auto waits = f.record({"j", guest_state{"half"}, stage_paused{1}});
  CHECK(waits.job.status == rpc::job_status::running);
  CHECK(waits.job.started_at == at_second(3));
  CHECK(waits.job.updated_at == at_second(4));
  CHECK(rpc::decode_guest(waits.guest_doc).state == "half");
}

TEST_CASE("the end of a job and the beginning of the one behind it are one step") {
  journal_fixture f;
  auto sent = f.add_guest("g", "one").guest_doc;
  f.add_job("two", "g");
  f.start("one");
  auto step =
    f.record({"one", guest_returned{sent, returned_guest("g")}, job_ends{}, "", job_start{"two", {0, "S.Two"}}});
  CHECK(step.then_began);
  CHECK(step.job.id == "one");
  CHECK(step.job.status == rpc::job_status::complete);
  CHECK(rpc::decode_guest(step.guest_doc).state == "running");
  CHECK(f.job("two").status == rpc::job_status::running);
  CHECK(f.job("two").started_at == f.job("one").updated_at);
  f.reopen();
  CHECK(f.log->unfinished().at(0).stage_name == "S.Two");
}

TEST_CASE("a job ends whether or not the one behind it can begin") {
  journal_fixture f;
  f.add_guest("g", "one");
  f.add_job("two", "g");
  f.add_job("delete", "g", "delete");
  f.complete("two");
  CHECK_FALSE(f.record({"one", guest_unchanged{}, job_ends{}, "", job_start{"two", {}}}).then_began);
  CHECK(f.job("one").status == rpc::job_status::complete);
  f.add_job("three", "g");
  CHECK_FALSE(f.record({"delete", guest_removed{}, job_ends{}, "", job_start{"three", {}}}).then_began);
  CHECK(f.job("three").message == "guest deleted");
  CHECK(f.unfinished_ids().empty());
}

TEST_CASE("a job that ended is closed, and an unknown one is not found") {
  journal_fixture f;
  f.add_guest("g", "j");
  f.complete("j");
  CHECK(failure_of([&] { f.start("j"); }).code() == rpc::errc::conflict);
  CHECK(failure_of([&] { f.complete("j", guest_removed{}); }).code() == rpc::errc::conflict);
  CHECK(failure_of([&] { f.start("none"); }).code() == rpc::errc::not_found);
  CHECK(f.published->size() == 1);
}

TEST_CASE("a job ends as complete or error only") {
  journal_fixture f;
  f.add_guest("g", "j");
  auto end = [&] { f.record({"j", guest_unchanged{}, job_ends{rpc::job_status::running, ""}}); };
  CHECK(failure_of(end).code() == rpc::errc::internal);
  CHECK(f.job("j").status == rpc::job_status::queued);
}

TEST_CASE("the guest that a stage returned replaces the stored one") {
  journal_fixture f;
  auto sent = f.add_guest("g", "j").guest_doc;
  auto step = f.complete("j", guest_returned{sent, returned_guest("g", {{"by", "stage"}})});
  CHECK(step.guest_doc == R"({"id":"g","state":"running","wanted":"on","metadata":{"by":"stage"}})");
  CHECK(f.doc("g") == step.guest_doc);
  f.crash();
  CHECK(f.doc("g") == step.guest_doc);
}

TEST_CASE("metadata that clients changed while a stage ran wins") {
  journal_fixture f;
  auto sent = f.add_guest("g", "j", "d", {{"set", "1"}, {"deleted", "1"}, {"both", "1"}, {"stage", "1"}}).guest_doc;
  f.batch([&] {
    return f.log->patch_guest_metadata(
      "g", {{"set", "client"}, {"deleted", std::nullopt}, {"both", "client"}, {"added", "client"}});
  });
  auto returned = returned_guest("g", {{"set", "1"}, {"deleted", "1"}, {"both", "stage"}, {"stage", "2"}});
  auto step = f.complete("j", guest_returned{sent, returned});
  CHECK(rpc::decode_guest(step.guest_doc).metadata ==
        rpc::metadata_map{{"added", "client"}, {"both", "client"}, {"set", "client"}, {"stage", "2"}});
  CHECK(rpc::decode_guest(step.guest_doc).state == "running");
}

TEST_CASE("a stage that returns another guest fails, and nothing of the step stays") {
  journal_fixture f;
  auto sent = f.add_guest("g", "j").guest_doc;
  for (auto id : {"", "h"}) {
    auto error = failure_of([&] { f.complete("j", guest_returned{sent, returned_guest(id)}); });
    CHECK(error.code() == rpc::errc::sub_agent_failed);
  }
  CHECK(f.doc("g") == sent);
  CHECK(f.job("j").status == rpc::job_status::queued);
}

TEST_CASE("a delete takes the record and ends the guest's other jobs with it") {
  journal_fixture f;
  f.add_guest("g", "done");
  f.complete("done");
  f.add_guest("h");
  for (auto job : {"before", "delete", "behind"})
    f.add_job(job, "g");
  f.start("delete");
  auto step = f.complete("delete", guest_removed{});
  CHECK(step.guest_doc.empty());
  CHECK(step.job.status == rpc::job_status::complete);
  CHECK_FALSE(f.published->find("g"));
  for (auto job : {"before", "behind"}) {
    CHECK(f.job(job).status == rpc::job_status::error);
    CHECK(f.job(job).message == "guest deleted");
    CHECK(f.job(job).updated_at == step.job.updated_at);
  }
  CHECK(f.job("done").message.empty());
  f.crash();
  CHECK_FALSE(f.published->find("g"));
  CHECK(f.unfinished_ids() == ids{"create-h"});
}

TEST_CASE("nothing brings a deleted guest back") {
  journal_fixture f;
  auto sent = f.add_guest("g", "a").guest_doc;
  f.complete("a");
  f.add_job("b", "g");
  f.log.reset();
  { // the record goes otherwise than by a job
    database other{f.path, database::access::read_write};
    other.execute("DELETE FROM guests");
  }
  f.open();
  CHECK(f.record({"b", guest_returned{sent, returned_guest("g")}, stage_starts{1, "S.M"}}).guest_doc.empty());
  CHECK(f.complete("b", guest_state{"error"}).guest_doc.empty());
  f.reopen();
  CHECK(f.published->size() == 0);
}

TEST_CASE("a state is set and the rest of the guest stays") {
  journal_fixture f;
  f.add_guest("g", "j", "d", {{"k", "v"}});
  auto step = f.record({"j", guest_state{"error"}, job_ends{rpc::job_status::error, "x"}});
  CHECK(step.guest_doc == R"({"id":"g","state":"error","metadata":{"k":"v"}})");
}

TEST_CASE("a guest's metadata is patched, kept and returned whole") {
  journal_fixture f;
  f.add_guest("g", {}, "d", {{"a", "1"}, {"b", "1"}});
  auto patch = [&](rpc::metadata_patch p) { return f.batch([&] { return f.log->patch_guest_metadata("g", p); }); };
  rpc::metadata_map after{{"b", "2"}, {"c", "3"}};
  CHECK(patch({{"a", std::nullopt}, {"b", "2"}, {"c", "3"}, {"none", std::nullopt}}) == after);
  CHECK(patch({}) == after);
  f.reopen();
  CHECK(rpc::decode_guest(f.doc("g")).metadata == after);
  auto missing = failure_of([&] { f.batch([&] { return f.log->patch_guest_metadata("x", {}); }); });
  CHECK(missing.code() == rpc::errc::not_found);
}

TEST_CASE("the hypervisor's metadata is patched, kept and returned whole") {
  journal_fixture f;
  auto patch = [&](rpc::metadata_patch p) { return f.batch([&] { return f.log->patch_metadata(p); }); };
  CHECK(patch({{"a", "1"}, {"b", "1"}}).size() == 2);
  rpc::metadata_map after{{"b", "2"}};
  CHECK(patch({{"a", std::nullopt}, {"b", "2"}}) == after);
  CHECK(f.published->metadata() == after);
  f.crash();
  CHECK(f.published->metadata() == after);
}
