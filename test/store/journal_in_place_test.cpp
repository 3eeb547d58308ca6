#include "test/store/fixture.hpp"

#include "store/disk_error.hpp"

#include <cerrno>
#include <thread>

using namespace mistify;
using namespace mistify::store;
namespace fs = std::filesystem;

namespace {

struct place_fixture : journal_fixture {
  place_fixture() { add_guest("g", "c"); }

  void is_refused(const std::string& why) {
    const auto error = failure_of([&] { add_job("late", "g"); });
    CHECK(error.code() == rpc::errc::storage_failed);
    CHECK(error.message().find(why) != std::string::npos);
    CHECK_FALSE(log->in_batch());
    CHECK_THROWS_AS(log->require_in_place(), rpc::failure);
  }
};

} // namespace

TEST_CASE_METHOD(place_fixture, "a database that was removed takes nothing any more, whichever of its files went") {
  const auto* suffix = GENERATE("", "-wal", "-shm");
  fs::remove(path + suffix);
  is_refused(path + suffix + " was removed");
  CHECK(doc("g").find("create") != std::string::npos);
}

TEST_CASE_METHOD(place_fixture, "a database that was replaced takes nothing, and neither is changed") {
  fs::rename(path, path + ".away");
  fs::copy_file(path + ".away", path);
  const auto restored = read_file(path), wal = read_file(path + "-wal");
  is_refused(path + " was replaced by another one");
  CHECK(read_file(path) == restored);
  CHECK(read_file(path + "-wal") == wal);
}

TEST_CASE_METHOD(place_fixture, "a database that is put back takes writes again") {
  fs::rename(path, path + ".away");
  is_refused("was removed");
  fs::rename(path + ".away", path);
  add_job("j", "g");
  reopen();
  CHECK(unfinished_ids() == ids{"c", "j"});
}

TEST_CASE_METHOD(place_fixture, "a database that went during a commit takes nothing until it is opened again") {
  at_commit = [this] { fs::rename(path, path + ".away"); };
  is_refused("was removed");
  at_commit = nullptr;
  fs::rename(path + ".away", path);
  const auto error = failure_of([&] { add_job("later", "g"); });
  CHECK(error.code() == rpc::errc::storage_failed);
  CHECK(error.message().find("start the agent again") != std::string::npos);
  reopen();
  CHECK(unfinished_ids() == ids{"c", "late"}); // what was refused had been written
  add_job("j", "g");
}

TEST_CASE_METHOD(place_fixture, "a link to the database that leads elsewhere later is noticed") {
  log.reset();
  const auto real = path;
  path = folder / "link.db";
  fs::create_symlink(real, path);
  open();
  add_job("j", "g");
  fs::copy_file(real, folder / "other.db");
  fs::remove(path);
  fs::create_symlink(folder / "other.db", path);
  is_refused("was replaced");
}

TEST_CASE_METHOD(place_fixture, "a database that is removed while a commit runs is not told as written") {
  log.reset();
  published = std::make_unique<guest_index>();
  auto wanted = settings();
  wanted.before_commit = [this] { fs::remove(path); };
  log = std::make_unique<journal>(wanted, *published);
  CHECK_THROWS_AS(add_job("j", "g"), rpc::failure);
}

TEST_CASE_METHOD(place_fixture, "the lock is on the database: a removed lock file lets no second agent in") {
  for (const auto& name : folder.files())
    CHECK_FALSE(name.ends_with(".lock"));
  guest_index other;
  auto wanted = settings();
  wanted.events = nullptr;
  CHECK(failure_of([&] {
          journal{wanted, other};
        }).message() == "database " + path + ": the file is in use by another agent");
}

TEST_CASE_METHOD(place_fixture, "a reader does not go on with another file") {
  const job_reader reader{path, 2};
  CHECK(reader.find("c"));
  fs::rename(path, path + ".away");
  fs::copy_file(path + ".away", path);
  std::vector<std::thread> all;
  std::atomic<int> found{0};
  for (int i = 0; i < 4; ++i)
    all.emplace_back([&] {
      for (int times = 0; times < 50; ++times)
        found += reader.find("c") ? 1 : 0;
    });
  for (auto& one : all)
    one.join();
  CHECK(found == 200); // by the one connection that is open
}

TEST_CASE("errors of a full or read-only disk are told with their names") {
  CHECK(describe_error(ENOSPC) == "No space left on device (ENOSPC)");
  CHECK(describe_error(EDQUOT) == "Disk quota exceeded (EDQUOT)");
  CHECK(describe_error(EROFS) == "Read-only file system (EROFS)");
  CHECK(describe_error(EACCES) == "Permission denied");
  CHECK_FALSE(is_disk_error(EIO));
}
