#include "command_run.hpp"
#include "test/system/house.hpp"

#include <catch2/catch.hpp>

namespace mistify::test {

using Catch::Contains;

namespace {

struct fixture {
  house h;
  std::string url = "http://127.0.0.1:" + std::to_string(h.agent.port());
  std::string web =
    h.create_guest(R"("memory":512,"cpu":1,"name":"web","disks":[{"device":"vda","size":10,"volume":"p/disk-0"},
    {"device":"vdb","size":20,"volume":"p/disk-4"}],"nics":[{"name":"net0","network":"lan","mac":"52:54:00:00:00:01"}])");

  ran run(const std::vector<std::string>& words) const { return run_command(words, {{"MISTIFY_HOST", url}}, ""); }
  /// The params of the last call of the method.
  std::string sent(const std::string& method) const {
    const auto calls = h.sub.calls(method);
    return calls.empty() ? std::string{} : calls.back().params;
  }
};

} // namespace

TEST_CASE("Disks of a guest are listed, attached, resized and detached") {
  fixture f;
  CHECK(f.run({"disks", "list", "web", "-o", "device,size"}).out == "DEVICE  SIZE\nvda     10\nvdb     20\n");
  CHECK(f.run({"disks", "attach", "web", "debian-12:5", "--apply", "live"}).code == 4); // the guest is off
  CHECK(f.run({"disks", "attach", "web", "debian-12:5", "--apply", "either", "--wait"}).code == 0);
  CHECK_THAT(f.sent("Test.AttachDisk"), Contains(R"("params":{"apply":"either","image":"debian-12","size":5})"));
  CHECK(f.run({"disks", "resize", "web", "vdb", "30", "--wait"}).code == 0);
  CHECK_THAT(f.sent("Test.ResizeDisk"), Contains(R"("device":"vdb","size":30)"));
  CHECK(f.run({"disks", "detach", "web", "4", "--delete", "--apply", "next-start", "--wait"}).code == 0);
  CHECK_THAT(f.sent("Test.DetachDisk"), Contains(R"("delete":true)") && Contains(R"("apply":"next-start")"));
}

TEST_CASE("Network interfaces of a guest are listed, attached and detached") {
  fixture f;
  CHECK_THAT(f.run({"nics", "list", "web"}).out, Contains("net0") && Contains("52:54:00:00:00:01"));
  CHECK(f.run({"nics", "attach", "web", "lan", "--mac", "52:54:00:00:00:02", "--wait"}).code == 0);
  CHECK_THAT(f.sent("Test.AttachNic"), Contains(R"("params":{"mac":"52:54:00:00:00:02","network":"lan"})"));
  CHECK(f.run({"nics", "detach", "web", "net0", "--wait"}).code == 0);
  CHECK_THAT(f.sent("Test.DetachNic"), Contains(R"("name":"net0")"));
}

TEST_CASE("What of a guest waits for its next start is listed") {
  fixture f;
  f.h.sub.on("Test.Pending",
             [](const call& asked) { return result(asked, R"([{"member":"memory","now":512,"next":1024}])"); });
  CHECK(f.run({"pending", "web"}).out == "MEMBER  NOW  NEXT\nmemory  512  1024\n");
}

TEST_CASE("Devices that are not there, or said wrong, are refused with the exit status for it") {
  fixture f;
  CHECK(f.run({"disks", "resize", "web", "vdb", "much"}).code == 2);
  CHECK(f.run({"disks", "attach", "web", ":5"}).code == 2);
  CHECK(f.run({"disks"}).code == 2);
  CHECK(f.run({"nics", "list"}).code == 2);
  CHECK(f.run({"disks", "detach", "web", "vda"}).code == 4); // the first disk stays
  CHECK(f.run({"disks", "detach", "web", "vdz"}).code == 3);
  CHECK(f.run({"disks", "list", "nobody"}).code == 3);
  CHECK(f.run({"disks", "resize", "web", "vdb", "1"}).code == 4);
  CHECK(f.h.sub.calls("Test.DetachDisk").empty());
}

} // namespace mistify::test
