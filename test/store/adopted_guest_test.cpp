#include "fixture.hpp"

#include "rpc/model/codec.hpp"

using namespace mistify;
using namespace mistify::store;
using Catch::Contains;

namespace {

struct adoption_fixture : journal_fixture {
  queued_job adopt(const std::string& job = "adopt", const std::string& key = {},
                   const rpc::unknown_fields& extra = {}) {
    rpc::guest guest;
    guest.id = "g";
    guest.state = "adopt";
    guest.wanted = "off";
    guest.extra = extra;
    return batch([&] { return log->add_guest(guest, {job, "g", "adopt", "", key, "digest"}); });
  }

  rpc::guest machine(const std::string& state = "running") {
    rpc::guest g;
    g.id = "g";
    g.state = state;
    g.memory = 512;
    g.nics.emplace_back().mac = "52:54:00:AA:00:01";
    g.extra = {{"name", R"("legacy")"}, {"adopted", "true"}};
    return g;
  }

  void return_machine(const std::string& state = "running") {
    complete("adopt", guest_returned{doc("g"), machine(state)});
  }

  void fail() { record({"adopt", guest_removed{}, job_ends{rpc::job_status::error, "no", rpc::job_code::refused}}); }

  rpc::guest guest() { return rpc::decode_guest(doc("g")); }
};

} // namespace

TEST_CASE_METHOD(adoption_fixture, "an adopted guest is as its machine is, and wished as that is") {
  for (const auto& [state, wanted] : {std::pair{"running", "on"}, {"paused", "on"}, {"shutoff", "off"}}) {
    INFO(state);
    adopt();
    return_machine(state);
    CHECK(guest().state == state);
    CHECK(guest().wanted == wanted);
    CHECK(guest().memory == 512);
    CHECK(guest().extra.at("name") == R"("legacy")");
    reopen();
    CHECK(guest().extra.at("adopted") == "true");
    add_job("delete", "g", "delete");
    complete("delete", guest_removed{});
    log.reset();
    std::filesystem::remove(path);
    open();
  }
}

TEST_CASE_METHOD(adoption_fixture, "a wish that came while a guest was adopted holds") {
  adopt();
  new_job off{"off", "g", "poweroff", "", "", ""};
  off.wanted = "off";
  batch([&] { return log->add_job(off); });
  return_machine();
  CHECK(guest().wanted == "off");
}

TEST_CASE_METHOD(adoption_fixture,
                 "an adoption that fails takes its guest and what waits behind it along, once and for all") {
  adopt();
  add_job("behind", "g");
  fail();
  CHECK(doc("g").empty());
  CHECK(job("behind").code == rpc::job_code::guest_deleted);
  crash();
  CHECK(doc("g").empty());
  CHECK(job("adopt").message == "no");
  CHECK_FALSE(adopt("again").repeated);
}

TEST_CASE_METHOD(adoption_fixture, "an id that is taken is a conflict, but for the same key") {
  adopt("adopt", "key");
  CHECK(adopt("other", "key").repeated);
  CHECK(failure_of([&] { adopt("other"); }).code() == rpc::errc::conflict);
  return_machine();
  CHECK(failure_of([&] { adopt("other"); }).code() == rpc::errc::conflict);
  CHECK(failure_of([&] { add_guest("g", "create", "another"); }).code() == rpc::errc::conflict);
}

TEST_CASE_METHOD(adoption_fixture, "an adopted guest has the client's name, or the machine's if it is free") {
  SECTION("the client's") {
    adopt("adopt", {}, {{"name", R"("web")"}});
    return_machine();
    CHECK(guest().extra.at("name") == R"("web")");
  }
  SECTION("none where another guest has it") {
    rpc::guest other;
    other.id = "h";
    other.extra["name"] = R"("legacy")";
    batch([&] { return log->add_guest(other, {"create-h", "h", "create", "", "", "d"}); });
    adopt();
    return_machine();
    CHECK_FALSE(guest().extra.contains("name"));
  }
}

TEST_CASE_METHOD(adoption_fixture, "a MAC address of another guest is a conflict that its job can report") {
  rpc::guest other;
  other.id = "h";
  other.nics.emplace_back().mac = "52:54:00:aa:00:01";
  batch([&] { return log->add_guest(other, {"create-h", "h", "create", "", "", "d"}); });
  adopt();
  CHECK(failure_of([&] { return_machine(); }).code() == rpc::errc::sub_agent_conflict);
  fail();
  CHECK(doc("g").empty());
}

TEST_CASE_METHOD(adoption_fixture, "neither maintenance nor a full host matters to a machine that is there") {
  batch([&] { return log->set_maintenance({true, "", {}}); });
  limits = host_limits{1, 1, 1};
  adopt();
  return_machine();
  CHECK(board.sums().allocated.memory == 512);
}

TEST_CASE_METHOD(adoption_fixture, "disks of an adopted guest count among what is promised where they are in a store") {
  adopt();
  auto returned = machine();
  returned.disks.resize(2);
  returned.disks[0].size = 1000;
  returned.disks[0].source = "/srv/a.img";
  returned.disks[1].size = 30;
  returned.disks[1].volume = "guests/g/disk-1";
  complete("adopt", guest_returned{doc("g"), returned});
  CHECK(board.sums().disk == 30);
  reopen();
  CHECK(board.sums().disk == 30);
}

TEST_CASE_METHOD(adoption_fixture, "an adoption is not preempted") {
  adopt();
  new_job off{"off", "g", "poweroff", "", "", ""};
  off.preempts = true;
  CHECK(batch([&] { return log->add_job(off); }).preempted.empty());
  return_machine();
  CHECK(guest().state == "running");
}
