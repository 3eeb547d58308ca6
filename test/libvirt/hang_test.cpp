#include "test/libvirt/fixture.hpp"
#include "test/libvirt/hung_guest.hpp"

#include <future>
#include <latch>

using namespace mistify;
using namespace std::chrono_literals;

namespace {

struct hanging_fixture : test::libvirt_fixture {
  using states = std::vector<std::future<std::string>>;

  /// As many calls of one method on the guest, each on a thread of its own; all are under way when it returns.
  states calls(const char* method, int count) {
    states answers;
    const auto under_way = std::make_shared<std::latch>(count);
    for (int i = 0; i < count; ++i)
      answers.push_back(std::async(std::launch::async, [=, this] {
        under_way->count_down();
        return guest(method, small()).state;
      }));
    under_way->wait();
    return answers;
  }

  static rpc::guest other_guest(int i) { return small("0a1b2c3d-0000-4000-8000-0000000001" + std::to_string(10 + i)); }

  /// The other guests each on a thread of its own; returns how many went through all of it. None is created or deleted:
  /// libvirt's test driver itself lets those wait for whoever waits for a guest.
  int lives(int count) {
    std::vector<std::future<bool>> all;
    for (int i = 0; i < count; ++i)
      all.push_back(std::async(std::launch::async, [this, g = other_guest(i)] {
        return guest("Run", g).state == "running" && guest("Suspend", g).state == "paused" &&
               metrics("CPUMetrics", g).cpu.size() == 2 && guest("Poweroff", g).state == "shutoff";
      }));
    int lived = 0;
    for (auto& one : all)
      lived += one.get() ? 1 : 0;
    return lived;
  }

  static bool nobody_is_answered(const states& answers) {
    return std::all_of(answers.begin(), answers.end(),
                       [](const auto& answer) { return answer.wait_for(0s) == std::future_status::timeout; });
  }
};

} // namespace

// Twenty: more calls than there are connections to spare.
TEST_CASE_METHOD(hanging_fixture, "while libvirt hangs on one guest, forty others live at the same time") {
  guest("Run", guest("CreateGuest", small()));
  for (int i = 0; i < 40; ++i)
    guest("CreateGuest", other_guest(i));
  test::hung_guest hung{domain(), consoles};
  auto waiting = calls("Status", 20);
  CHECK(lives(40) == 40);
  CHECK(nobody_is_answered(waiting));
  hung.let_go();
  for (auto& answer : waiting)
    CHECK(answer.get() == "running");
}

// Each would find it off, and all but the first start it in vain, if they did not take turns.
TEST_CASE_METHOD(hanging_fixture, "calls that waited for one guest take turns when it answers again") {
  guest("Run", guest("CreateGuest", small()));
  test::hung_guest hung{domain(), consoles, VIR_DUMP_CRASH};
  auto waiting = calls("Run", 20);
  hung.let_go();
  for (auto& answer : waiting)
    CHECK(answer.get() == "running");
}
