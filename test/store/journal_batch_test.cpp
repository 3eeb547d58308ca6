#include "test/store/file_size_limit.hpp"
#include "test/store/fixture.hpp"

#include "rpc/model/codec.hpp"

using namespace mistify;
using namespace mistify::store;

TEST_CASE("steps see what earlier steps of their batch did, readers do not") {
  journal_fixture f;
  rpc::guest guest;
  guest.id = "g";
  f.log->begin();
  f.log->add_guest(guest, {"c", "g", "create", "", "", "d"});
  f.log->patch_guest_metadata("g", {{"k", "v"}});
  auto job = f.log->add_job({"j", "g", "reboot", "", "", ""});
  CHECK(rpc::decode_guest(job.guest_doc).metadata.at("k") == "v");
  CHECK(f.log->patch_metadata({{"a", "1"}}).size() == 1);
  CHECK(f.log->patch_metadata({{"b", "1"}}).size() == 2);
  CHECK(f.published->size() == 0);
  CHECK(f.published->metadata().empty());
  CHECK(f.logged_ids().empty());
  f.log->commit();
  CHECK(f.doc("g") == job.guest_doc);
  CHECK(f.published->metadata().size() == 2);
  CHECK(f.logged_ids() == ids{"j", "c"});
}

TEST_CASE("a guest deleted in a batch is gone for the batch's later steps") {
  journal_fixture f;
  f.add_guest("g", "c");
  f.log->begin();
  f.log->record({"c", guest_removed{}, job_ends{}});
  CHECK(failure_of([&] { f.log->add_job({"j", "g", "reboot", "", "", ""}); }).code() == rpc::errc::not_found);
  CHECK(f.published->find("g"));
  f.log->commit();
  CHECK_FALSE(f.published->find("g"));
}

TEST_CASE("a step that is refused leaves nothing of itself, the rest of its batch stands") {
  journal_fixture f;
  auto sent = f.add_guest("g", "c").guest_doc;
  f.log->begin();
  f.log->add_job({"one", "g", "reboot", "", "", ""});
  rpc::guest same;
  same.id = "g";
  same.state = "changed";
  // Fails at its end, after the guest was written.
  job_step bad{"c", guest_returned{sent, same}, job_ends{rpc::job_status::queued, ""}};
  CHECK_THROWS_AS(f.log->record(bad), rpc::failure);
  CHECK(f.log->add_job({"two", "g", "reboot", "", "", ""}).guest_doc == sent);
  f.log->commit();
  CHECK(f.doc("g") == sent);
  f.reopen();
  CHECK(f.doc("g") == with_wish_off(sent));
  CHECK(f.unfinished_ids() == ids{"c", "one", "two"});
}

TEST_CASE("a commit that fails leaves nothing of its batch, and the next one works") {
  journal_fixture f;
  auto before = f.add_guest("g", "c").guest_doc;
  rpc::guest other;
  other.id = "h";
  f.log->begin();
  f.log->add_guest(other, {"ch", "h", "create", "", "", "d"});
  f.log->record({"c", guest_removed{}, job_ends{}});
  f.log->patch_metadata({{"a", "1"}});
  f.fail_commit = true;
  CHECK(failure_of([&] { f.log->commit(); }).code() == rpc::errc::storage_failed);
  CHECK_FALSE(f.log->in_batch());
  CHECK(f.doc("g") == before);
  CHECK(f.published->size() == 1);
  CHECK(f.published->metadata().empty());
  CHECK(f.logged_ids() == ids{"c"});
  CHECK_FALSE(f.add_job("j", "g").repeated);
  f.reopen();
  CHECK(f.unfinished_ids() == ids{"c", "j"});
}

TEST_CASE("a batch that is given up leaves nothing") {
  journal_fixture f;
  f.log->begin();
  CHECK(f.log->in_batch());
  f.log->patch_metadata({{"a", "1"}});
  f.log->rollback();
  CHECK_FALSE(f.log->in_batch());
  f.reopen();
  CHECK(f.published->metadata().empty());
}

TEST_CASE("steps need a batch, and there is one batch at a time") {
  journal_fixture f;
  CHECK(failure_of([&] { f.log->patch_metadata({}); }).code() == rpc::errc::internal);
  CHECK(failure_of([&] { f.log->commit(); }).code() == rpc::errc::internal);
  f.log->rollback();
  f.log->begin();
  CHECK(failure_of([&] { f.log->begin(); }).code() == rpc::errc::internal);
  CHECK(f.log->in_batch());
}

TEST_CASE("on a full disk a write fails with the reason, and works again when there is room") {
  journal_fixture f;
  f.max_bytes = 300'000;
  f.reopen();
  f.add_guest("g", "c");
  std::string large(400'000, 'x');
  auto write = [&](const std::string& job, const std::string& request) {
    return f.batch([&] { return f.log->add_job({job, "g", "reboot", request, "", ""}); });
  };
  auto error = failure_of([&] { write("large", large); });
  CHECK(error.code() == rpc::errc::storage_failed);
  CHECK(error.message() == "database or disk is full");
  write("small", "{}");
  CHECK(f.logged_ids() == ids{"small", "c"});

  // Whether SQLite undoes only the step or the whole batch: what commit says is what holds.
  f.log->begin();
  f.log->add_job({"beside", "g", "reboot", "", "", ""});
  CHECK(failure_of([&] {
          f.log->add_job({"large", "g", "reboot", large, "", ""});
        }).code() == rpc::errc::storage_failed);
  bool stands = true;
  try {
    f.log->commit();
  } catch (const rpc::failure& lost) {
    stands = false;
    CHECK(lost.code() == rpc::errc::storage_failed);
  }
  CHECK_FALSE(f.log->in_batch());
  CHECK(f.logged_ids() == (stands ? ids{"beside", "small", "c"} : ids{"small", "c"}));
  write("after", "{}");
  CHECK(f.logged_ids().front() == "after");
}

TEST_CASE("a step that the disk refuses when it has written a part of it undoes its batch") {
  journal_fixture f;
  f.max_bytes = 300'000;
  f.log.reset();
  f.published = std::make_unique<guest_index>();
  auto wanted = f.settings();
  wanted.bounds.message_bytes = 1'000'000;
  f.log = std::make_unique<journal>(std::move(wanted), *f.published);
  const auto before = f.add_guest("g", "c").guest_doc;
  f.log->begin();
  f.log->add_job({"beside", "g", "reboot", "", "", ""});
  const job_step large{"c", guest_state{"running"}, job_ends{rpc::job_status::error, std::string(400'000, 'x')}};
  CHECK(failure_of([&] { f.log->record(large); }).code() == rpc::errc::storage_failed);
  CHECK(failure_of([&] { f.log->add_job({"late", "g", "reboot", "", "", ""}); }).code() == rpc::errc::storage_failed);
  CHECK(failure_of([&] { f.log->commit(); }).code() == rpc::errc::storage_failed);
  CHECK(f.doc("g") == before);
  CHECK(f.logged_ids() == ids{"c"});
  CHECK(f.complete("c", guest_state{"running"}).job.status == rpc::job_status::complete);
  f.reopen();
  CHECK(rpc::decode_guest(f.doc("g")).state == "running");
}

TEST_CASE("writes that the kernel refuses fail, and work again when it takes them") {
  journal_fixture f;
  auto before = f.add_guest("g", "c").guest_doc;
  {
    file_size_limit limit{std::filesystem::file_size(f.path + "-wal")};
    f.log->begin();
    f.log->record({"c", guest_removed{}, job_ends{}});
    auto error = failure_of([&] { f.log->commit(); });
    CHECK(error.code() == rpc::errc::storage_failed);
    CHECK(error.message() == "disk I/O error");
    CHECK_FALSE(f.log->in_batch());
    CHECK(f.doc("g") == before);
    CHECK(f.logged_ids() == ids{"c"});
  }
  f.add_job("j", "g");
  f.crash();
  CHECK(f.unfinished_ids() == ids{"c", "j"});
  CHECK(f.doc("g") == with_wish_off(before));
}

TEST_CASE("another program's write lock is storage_failed, and nothing is kept of the wait") {
  journal_fixture f;
  {
    database other{f.path, database::access::read_write};
    transaction held{other};
    CHECK(failure_of([&] { f.log->begin(); }).message() == "database is locked");
    CHECK_FALSE(f.log->in_batch());
  }
  f.add_guest("g");
}

TEST_CASE("a probe fails while the disk takes no write, and changes nothing when it goes through") {
  journal_fixture f;
  const auto before = f.add_guest("g", "c").guest_doc;
  const auto probe = [&] {
    f.log->begin();
    f.log->probe();
    f.log->commit();
  };
  {
    file_size_limit limit{std::filesystem::file_size(f.path + "-wal")};
    CHECK(failure_of(probe).code() == rpc::errc::storage_failed);
  }
  const auto size = std::filesystem::file_size(f.path + "-wal");
  probe();
  CHECK(std::filesystem::file_size(f.path + "-wal") > size);
  f.reopen();
  CHECK(f.doc("g") == with_wish_off(before));
}
