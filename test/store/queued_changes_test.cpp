#include "test/store/fixture.hpp"

#include "rpc/model/codec.hpp"

using namespace mistify;
using namespace mistify::store;
using rpc::errc;

namespace {

/// A guest with the disks vda (10 MB) and vdb (20 MB) and the nic net0, whose changes are queued behind one another.
struct change_fixture : journal_fixture {
  change_fixture() {
    const auto guest = rpc::decode_guest(R"({"id":"g","disks":[{"device":"vda","size":10,"volume":"p/disk-0"},
      {"device":"vdb","size":20,"volume":"p/disk-1"}],"nics":[{"name":"net0"}]})");
    batch([&] { return log->add_guest(guest, {"c", "g", "create", "", "", "d"}); });
    complete("c");
  }

  std::string queue(const std::string& action, const std::string& wish) {
    const auto id = "job-" + std::to_string(++last);
    batch([&] { return log->add_job({id, "g", action, wish, "", ""}); });
    return id;
  }

  rpc::failure refusal(const std::string& action, const std::string& wish) {
    return failure_of([&] { queue(action, wish); });
  }

  int last = 0;
};

} // namespace

TEST_CASE_METHOD(change_fixture, "no disk is made smaller than a queued change will make it") {
  const std::string action = GENERATE("resizeDisk", "containerResizeDisk");
  const auto first = queue(action, R"({"disk":1,"device":"vdb","size":40})");
  const auto smaller = refusal(action, R"({"disk":1,"device":"vdb","size":30})");
  CHECK(smaller.code() == errc::conflict);
  CHECK(smaller.message() == "size: the disk has 40 MB once the queued jobs are done, and disks never become smaller");
  queue(action, R"({"disk":0,"device":"vda","size":30})");
  queue(action, R"({"disk":1,"device":"vdb","size":40})");
  start(first);
  CHECK(refusal(action, R"({"disk":1,"device":"vdb","size":39})").code() == errc::conflict);
}

TEST_CASE_METHOD(change_fixture, "a change that failed does not count any more") {
  const auto first = queue("resizeDisk", R"({"disk":1,"device":"vdb","size":40})");
  record({first, guest_unchanged{}, job_ends{rpc::job_status::error, "no space"}});
  queue("resizeDisk", R"({"disk":1,"device":"vdb","size":30})");
  CHECK(unfinished_ids() == ids{"job-2"});
}

TEST_CASE_METHOD(change_fixture, "a device or a volume is attached once, whether it is there or queued") {
  CHECK(refusal("attachDisk", R"({"device":"vda","size":5})").message() == "device: the guest has a disk vda");
  CHECK(refusal("attachDisk", R"({"volume":"p/disk-1"})").code() == errc::conflict);
  queue("attachDisk", R"({"device":"vdc","size":5})");
  CHECK(refusal("attachDisk", R"({"device":"vdc","size":6})").message() == "device: the guest has a disk vdc");
  queue("attachDisk", R"({"device":"vdd","volume":"p/disk-7"})");
  CHECK(refusal("attachDisk", R"({"volume":"p/disk-7"})").message() == "volume: the guest has the disk p/disk-7");
  queue("attachDisk", R"({"size":5})"); // the sub-agent chooses names
  queue("attachDisk", R"({"size":5,"device":null})");
  queue("attachNic", R"({"name":"net1"})");
  for (const auto* name : {"net0", "net1"})
    CHECK(refusal("attachNic", R"({"name":")" + std::string{name} + "\"}").code() == errc::conflict);
  queue("attachNic", R"({"network":"lan"})");
}

TEST_CASE_METHOD(change_fixture, "what a queued job detaches can be attached behind it, and not changed any more") {
  queue("detachDisk", R"({"disk":1,"device":"vdb"})");
  CHECK(refusal("resizeDisk", R"({"disk":1,"device":"vdb","size":40})").message() == "the disk vdb is being detached");
  CHECK(refusal("detachDisk", R"({"disk":1,"device":"vdb"})").code() == errc::conflict);
  queue("attachDisk", R"({"device":"vdb","volume":"p/disk-1"})");
  CHECK(refusal("attachDisk", R"({"device":"vdb","size":5})").code() == errc::conflict);
  queue("detachNic", R"({"nic":0,"name":"net0"})");
  queue("attachNic", R"({"name":"net0"})");
}

TEST_CASE_METHOD(change_fixture, "a queued change that cannot be read is left to its stage") {
  queue("resizeDisk", R"({"disk":1,"device":"vdb","size":40})");
  log.reset();
  database{path, database::access::read_write}.execute("UPDATE jobs SET request = '{' WHERE id = 'job-1'");
  open();
  queue("resizeDisk", R"({"disk":1,"device":"vdb","size":30})");
  CHECK(unfinished_ids().size() == 2);
}
