#include "test/store/fixture.hpp"

#include "rpc/model/codec.hpp"

using namespace mistify;
using namespace mistify::store;

namespace {

new_job keyed(std::string id, std::string guest, std::string key, std::string digest) {
  return {std::move(id), std::move(guest), "reboot", "", std::move(key), std::move(digest)};
}

void check_same_answer(const queued_job& again, const queued_job& first) {
  CHECK(again.repeated);
  CHECK(again.guest_doc == first.guest_doc);
  CHECK(rpc::encode(again.job) == rpc::encode(first.job));
}

} // namespace

TEST_CASE("a job that nothing is before is queued and begins in one step") {
  journal_fixture f;
  f.add_guest("g", "c");
  f.complete("c");
  auto queued = f.batch([&] {
    return f.log->add_job({"j", "g", "reboot", "", "key", "digest", "", stage_starts{0, "Svc.Method"}});
  });
  CHECK(queued.job.status == rpc::job_status::queued);
  CHECK(f.job("j").status == rpc::job_status::running);
  CHECK(f.job("j").started_at == f.job("j").queued_at);
  check_same_answer(f.batch([&] { return f.log->add_job(keyed("again", "g", "key", "digest")); }), queued);
  f.reopen();
  auto left = f.log->unfinished().at(0);
  CHECK(left.call_was_out);
  CHECK(left.stage_name == "Svc.Method");
  CHECK(f.complete("j").job.started_at == queued.job.queued_at);
}

TEST_CASE("a created guest and its job are there after the commit and after a restart") {
  journal_fixture f;
  auto queued = f.add_guest("g", "j", "digest", {{"k", "v"}});
  CHECK_FALSE(queued.repeated);
  CHECK(queued.guest_doc == R"({"id":"g","state":"create","metadata":{"k":"v"}})");
  CHECK(queued.job.id == "j");
  CHECK(queued.job.guest_id == "g");
  CHECK(queued.job.action == "create");
  CHECK(queued.job.status == rpc::job_status::queued);
  CHECK(queued.job.queued_at == at_second(1));
  CHECK(queued.job.updated_at == at_second(1));
  CHECK(queued.job.started_at == rpc::timestamp{});
  CHECK(f.doc("g") == queued.guest_doc);
  f.reopen(); // where a guest without a wish gets one
  CHECK(f.doc("g") == R"({"id":"g","state":"create","wanted":"off","metadata":{"k":"v"}})");
  CHECK(f.unfinished_ids() == ids{"j"});
  CHECK(rpc::encode(f.job("j")) == rpc::encode(queued.job));
}

TEST_CASE("what was committed survives a crash, what was not does not") {
  journal_fixture f;
  f.add_guest("g");
  f.log->begin();
  f.log->add_job({"lost", "g", "reboot", "", "", ""});
  f.crash();
  CHECK(f.unfinished_ids() == ids{"create-g"});
  CHECK(f.published->size() == 1);
}

TEST_CASE("a job keeps the id of the request that queued it") {
  journal_fixture f;
  f.add_guest("g");
  f.batch([&] { return f.log->add_job({"j", "g", "reboot", "", "", "", "request-1"}); });
  f.crash();
  const auto left = f.log->unfinished();
  REQUIRE(left.size() == 2);
  CHECK(left[0].request_id.empty());
  CHECK(left[1].request_id == "request-1");
}

TEST_CASE("unfinished jobs come in the order of queueing, with what is known of them") {
  journal_fixture f;
  f.add_guest("g");
  f.batch([&] { return f.log->add_job({"z", "agent", "fetchImage", R"({"id":"i"})", "", ""}); });
  f.add_job("a", "g");
  f.add_job("m", "g");
  f.start("create-g");
  f.complete("create-g");
  f.start("z", 0);
  f.start("z", 2);
  f.start("a", 1);
  f.record({"a", guest_unchanged{}, stage_paused{1}});
  f.crash();
  auto left = f.log->unfinished();
  REQUIRE(left.size() == 3);
  CHECK(left[0].job.id == "z");
  CHECK(left[0].job.status == rpc::job_status::running);
  CHECK(left[0].request == R"({"id":"i"})");
  CHECK(left[0].stage == 2);
  CHECK(left[0].stage_name == "Svc.Method");
  CHECK(left[0].call_was_out);
  CHECK(left[1].job.id == "a");
  CHECK(left[1].stage == 1);
  CHECK_FALSE(left[1].call_was_out);
  CHECK(left[2].job.id == "m");
  CHECK(left[2].job.status == rpc::job_status::queued);
  CHECK(left[2].stage == 0);
  CHECK_FALSE(left[2].call_was_out);
}

TEST_CASE("a job needs its guest, except the agent's own") {
  journal_fixture f;
  CHECK(failure_of([&] { f.add_job("j", "nobody"); }).code() == rpc::errc::not_found);
  CHECK(f.add_job("i", "agent", "fetchImage").guest_doc.empty());
  CHECK(f.logged_ids() == ids{"i"});
}

TEST_CASE("a create that is repeated while the guest lives gets its first answer again") {
  journal_fixture f;
  auto first = f.add_guest("g", "first", "same");
  f.start("first");
  rpc::guest running;
  running.id = "g";
  running.state = "running";
  f.complete("first", guest_returned{first.guest_doc, running});
  check_same_answer(f.add_guest("g", "second", "same"), first);
  f.reopen();
  check_same_answer(f.add_guest("g", "third", "same"), first);
  CHECK(f.logged_ids() == ids{"first"});
  CHECK(rpc::decode_guest(f.doc("g")).state == "running");
}

TEST_CASE("a create that is repeated gets its first answer after its job left the log") {
  journal_fixture f;
  f.keep_jobs = 0;
  f.reopen();
  auto first = f.add_guest("g", "first", "same");
  f.complete("first");
  REQUIRE(f.logged_ids().empty());
  check_same_answer(f.add_guest("g", "second", "same"), first);
}

TEST_CASE("a create of an id that is taken by another request is a conflict") {
  journal_fixture f;
  f.add_guest("g", "first", "one");
  auto error = failure_of([&] { f.add_guest("g", "second", "two"); });
  CHECK(error.code() == rpc::errc::conflict);
  CHECK(error.message() == "guest ID exists already");
}

TEST_CASE("an id is free again after its guest was deleted") {
  journal_fixture f;
  f.add_guest("g", "first", "same");
  f.complete("first", guest_removed{});
  auto again = f.add_guest("g", "second", "same");
  CHECK_FALSE(again.repeated);
  CHECK(again.job.id == "second");
}

TEST_CASE("the same key with the same request gets the first answer again") {
  journal_fixture f;
  f.add_guest("g");
  auto first = f.batch([&] { return f.log->add_job(keyed("first", "g", "key", "d")); });
  CHECK_FALSE(first.repeated);
  f.start("first");
  f.complete("first", guest_state{"changed"});
  check_same_answer(f.batch([&] { return f.log->add_job(keyed("second", "g", "key", "d")); }), first);
  f.reopen();
  check_same_answer(f.batch([&] { return f.log->add_job(keyed("third", "g", "key", "d")); }), first);
  CHECK(f.logged_ids() == ids{"first", "create-g"});
}

TEST_CASE("the same key gets the first answer again within a batch") {
  journal_fixture f;
  f.add_guest("g");
  f.log->begin();
  auto first = f.log->add_job(keyed("first", "g", "key", "d"));
  check_same_answer(f.log->add_job(keyed("second", "g", "key", "d")), first);
  f.log->commit();
}

TEST_CASE("the same key with another request is a conflict") {
  journal_fixture f;
  f.add_guest("g");
  f.batch([&] { return f.log->add_job(keyed("first", "g", "key", "one")); });
  auto error = failure_of([&] { f.batch([&] { return f.log->add_job(keyed("second", "g", "key", "two")); }); });
  CHECK(error.code() == rpc::errc::conflict);
  CHECK(error.message() == "Idempotency-Key was used with another request");
}

TEST_CASE("a delete that is repeated by key gets its answer after the guest is gone") {
  journal_fixture f;
  f.add_guest("g");
  auto first = f.batch([&] { return f.log->add_job(keyed("delete", "g", "key", "d")); });
  f.complete("delete", guest_removed{});
  check_same_answer(f.batch([&] { return f.log->add_job(keyed("again", "g", "key", "d")); }), first);
}

TEST_CASE("a key is kept as long as its job") {
  journal_fixture f;
  f.add_guest("g");
  f.keep_jobs = 1;
  f.reopen();
  f.batch([&] { return f.log->add_job(keyed("first", "g", "key", "one")); });
  f.complete("first");
  f.add_job("next", "g");
  f.complete("next");
  CHECK_FALSE(f.batch([&] { return f.log->add_job(keyed("second", "g", "key", "two")); }).repeated);
}

TEST_CASE("a create with a key gets its first answer by the key, also after the delete") {
  journal_fixture f;
  rpc::guest guest;
  guest.id = "g";
  new_job create{"first", "g", "create", "", "key", "d"};
  auto first = f.batch([&] { return f.log->add_guest(guest, create); });
  f.complete("first", guest_removed{});
  create.id = "second";
  check_same_answer(f.batch([&] { return f.log->add_guest(guest, create); }), first);
  CHECK(f.published->size() == 0);
}

TEST_CASE("a create of a guest that is being deleted is a conflict, the same one too") {
  journal_fixture f;
  f.add_guest("g", "c");
  f.complete("c");
  CHECK(f.add_guest("g", "again").repeated);
  f.add_job("d", "g", GENERATE("delete", "containerDelete"));
  CHECK(failure_of([&] { f.add_guest("g", "again"); }).code() == rpc::errc::conflict);
  f.start("d");
  CHECK(failure_of([&] { f.add_guest("g", "again"); }).code() == rpc::errc::conflict);
  f.complete("d", guest_removed{});
  CHECK_FALSE(f.add_guest("g", "anew").repeated);
}

TEST_CASE("a second delete is the first one until that has ended") {
  journal_fixture f;
  f.add_guest("g", "c");
  f.complete("c");
  f.add_job("d", "g", "delete");
  const auto second = f.add_job("e", "g", "delete");
  CHECK(second.repeated);
  CHECK(second.job.id == "d");
  CHECK(second.guest_doc == f.doc("g"));
  CHECK(f.unfinished_ids() == ids{"d"});
  f.record({"d", guest_unchanged{}, job_ends{rpc::job_status::error, "busy"}});
  CHECK_FALSE(f.add_job("e", "g", "delete").repeated);
}

TEST_CASE("the key of a create that an earlier one answers is kept, also after the guest is gone") {
  journal_fixture f;
  const auto create = [&](const std::string& job, const std::string& key) {
    rpc::guest guest;
    guest.id = "g";
    return f.batch([&] { return f.log->add_guest(guest, {job, "g", "create", "", key, "digest"}); });
  };
  create("first", "");
  CHECK(create("second", "key").job.id == "first");
  f.complete("first");
  f.add_job("d", "g", "delete");
  f.complete("d", guest_removed{});
  const auto again = create("third", "key");
  CHECK(again.repeated);
  CHECK(again.job.id == "first");
}

TEST_CASE("the key of a second delete gets the first one's answer, also after the guest is gone") {
  journal_fixture f;
  f.add_guest("g", "c");
  f.complete("c");
  f.add_job("d", "g", "delete");
  const auto joining = [&](const std::string& id) {
    return f.batch([&] { return f.log->add_job({id, "g", "delete", "", "key", "digest"}); });
  };
  CHECK(joining("e").job.id == "d");
  f.complete("d", guest_removed{});
  const auto again = joining("f");
  CHECK(again.repeated);
  CHECK(again.job.id == "d");
}

TEST_CASE("a second delete that is forced forces the first, also after a restart") {
  journal_fixture f;
  f.add_guest("g", "c");
  f.complete("c");
  f.add_job("d", "g", "delete");
  new_job forced{"e", "g", "delete", R"({"force":true})", "", ""};
  forced.raises = true;
  f.batch([&] { return f.log->add_job(forced); });
  CHECK(f.log->unfinished().at(0).request == R"({"force":true})");
  CHECK(f.add_job("f", "g", "delete").job.id == "d");
  f.reopen();
  CHECK(f.log->unfinished().at(0).request == R"({"force":true})");
}
