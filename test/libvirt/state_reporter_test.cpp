#include "test/libvirt/reporter_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <set>

using namespace mistify;
using namespace std::chrono_literals;
using test::listening_agent;
using test::reporter_fixture;
using test::strings;

TEST_CASE_METHOD(reporter_fixture, "at first the agent is told what every guest is in") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  CHECK(told.states(1) == strings{running});
}

TEST_CASE_METHOD(reporter_fixture, "the agent is told of a guest that changes by itself, within a second") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  REQUIRE(told.states(1) == strings{running});
  const auto before = std::chrono::steady_clock::now();
  shut_down();
  CHECK(told.states(2) == strings{running, shutoff});
  CHECK(std::chrono::steady_clock::now() - before < 1s);
  start();
  CHECK(told.states(3) == strings{running, shutoff, running});
}

TEST_CASE_METHOD(reporter_fixture, "what the agent does not take now is told again, as it is then") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told{{"409 Conflict", "503 Service Unavailable"}};
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  REQUIRE(told.states(1) == strings{running});
  shut_down();
  CHECK(told.states(3) == strings{running, shutoff, shutoff});
}

TEST_CASE_METHOD(reporter_fixture, "an agent that was away is told of everyone when it is back") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told{{"", ""}};
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  CHECK(told.states(4) == strings{running, running, running, running});
}

TEST_CASE_METHOD(reporter_fixture, "what the agent refuses is not told again") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told{{"403 Forbidden", "404 Not Found"}};
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  REQUIRE(told.states(1) == strings{running});
  shut_down();
  REQUIRE(told.states(2) == strings{running, shutoff});
  start();
  CHECK(told.states(3) == strings{running, shutoff, running});
}

TEST_CASE_METHOD(reporter_fixture, "a guest whose domain somebody else removed is missing") {
  guest("CreateGuest", small());
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  REQUIRE(told.states(1) == strings{made});
  agents::must(virDomainUndefine(domain().get()));
  CHECK(told.states(2) == strings{made, missing});
}

namespace {

/// Waits until the file is there, or is not; false after a time-out.
bool becomes(bool there, const std::filesystem::path& file) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (std::filesystem::exists(file) != there && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(5ms);
  return std::filesystem::exists(file) == there;
}

} // namespace

TEST_CASE_METHOD(reporter_fixture, "a guest whose machine went while nobody looked is missing") {
  const auto known = home / "known";
  guest("CreateGuest", small());
  {
    listening_agent told;
    const agents::state_reporter reporter{hypervisor, told.url(), notes, known};
    REQUIRE(told.states(1) == strings{made});
    REQUIRE(becomes(true, known / id));
  }
  CHECK(agents::known_guests{known}.all() == std::set<std::string>{id});
  agents::must(virDomainUndefine(domain().get()));
  listening_agent told{{"409 Conflict"}};
  const agents::state_reporter reporter{hypervisor, told.url(), notes, known};
  CHECK(told.states(2) == strings{missing, missing}); // repeated, as any report is
}

TEST_CASE_METHOD(reporter_fixture, "a guest that the agent does not have is not kept") {
  const auto known = home / "known";
  std::filesystem::create_directories(known);
  const std::string other_file = "0a1b2c3d-0000-4000-8000-00000000000";
  for (const auto& name : {std::string{id}, other_file})
    std::ofstream{known / name};
  {
    listening_agent told{{"404 Not Found"}};
    const agents::state_reporter reporter{hypervisor, told.url(), notes, known};
    REQUIRE(told.states(1) == strings{missing});
    CHECK(becomes(false, known / id));
  }
  CHECK(agents::known_guests{known}.all().empty());
  CHECK(std::filesystem::exists(known / other_file));
}

TEST_CASE_METHOD(reporter_fixture, "a guest is kept while the agent takes no reports from this sub-agent") {
  agents::known_guests guests{home / "known"};
  guests.note(id, rpc::report_result::taken);
  guests.note(id, rpc::report_result::refused);
  CHECK(guests.all().contains(id));
  guests.note(id, rpc::report_result::unknown);
  CHECK(guests.all().empty());
}

TEST_CASE_METHOD(reporter_fixture, "guests are told of without a folder that could be written to") {
  dir.write("file", "x");
  guest("CreateGuest", small());
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url(), notes, home / "file" / "known"};
  REQUIRE(told.states(1) == strings{made});
  agents::must(virDomainUndefine(domain().get()));
  CHECK(told.states(2) == strings{made, missing});
}

TEST_CASE_METHOD(reporter_fixture, "a reporter ends while an agent does not answer") {
  guest("CreateGuest", small());
  test::scripted_agent silent{[](test::peer& from) { from.hang(); }};
  std::chrono::steady_clock::time_point before;
  {
    const agents::state_reporter reporter{hypervisor, "http://127.0.0.1:" + std::to_string(silent.port()), notes};
    while (silent.connections() == 0)
      std::this_thread::yield();
    before = std::chrono::steady_clock::now();
  }
  CHECK(std::chrono::steady_clock::now() - before < 4s);
}
