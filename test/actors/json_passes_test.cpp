#include "actor_fixture.hpp"

#include <atomic>
#include <string>
#include <string_view>

using namespace mistify;
using namespace mistify::test;

// The linker has every call of a parser and of the encoder of guests come through here (test/CMakeLists.txt).
rpc::json::document really_parse(std::string_view text) asm(
  "__real__ZN7mistify3rpc4json8document5parseESt17basic_string_viewIcSt11char_traitsIcEE");
rpc::json::document counted_parse(std::string_view text) asm(
  "__wrap__ZN7mistify3rpc4json8document5parseESt17basic_string_viewIcSt11char_traitsIcEE");
std::string really_encode(const rpc::guest& guest) asm("__real__ZN7mistify3rpc6encodeB5cxx11ERKNS0_5guestE");
std::string counted_encode(const rpc::guest& guest) asm("__wrap__ZN7mistify3rpc6encodeB5cxx11ERKNS0_5guestE");

namespace {

struct passes {
  std::atomic<int> parsed = 0;  ///< texts with a whole guest in them
  std::atomic<int> encoded = 0; ///< guests
} counted;

constexpr std::string_view mark = "a text that only the whole guest has";

} // namespace

rpc::json::document counted_parse(std::string_view text) {
  if (text.find(mark) != text.npos)
    ++counted.parsed;
  return really_parse(text);
}

std::string counted_encode(const rpc::guest& guest) {
  ++counted.encoded;
  return really_encode(guest);
}

namespace {

struct passes_fixture : agent_fixture {
  passes_fixture() {
    guest.id = "g";
    guest.state = "running";
    guest.metadata["k"] = mark;
    guest.extra = {{"name", "\"web\""}, {"labels", R"({"tier":"front"})"}};
    ask<store::queued_job>(front, actors::create_atom_v, guest, job("create"));
    answer_in_state("running");
    counted.parsed = counted.encoded = 0;
  }

  /// As an answer comes from the sub-agent.
  void answer_in_state(const std::string& state) {
    auto now = guest;
    now.state = state;
    const auto body = R"({"result":{"guest":)" + really_encode(now) + R"(},"error":null,"id":0})";
    sub_agent->take().tell(rpc::result_in(rpc::decode_answer(body, 0)));
    run();
  }

  rpc::guest guest;
};

} // namespace

TEST_CASE_METHOD(passes_fixture,
                 "a reboot parses the stored guest when it is queued, and each stage that and the answer once") {
  ask<store::queued_job>(front, actors::queue_atom_v, std::string{"g"}, job("reboot"));
  CHECK(counted.parsed == 1);
  answer_in_state("running");
  answer_in_state("running");
  CHECK(sub_agent->calls.empty());
  CHECK(counted.parsed == 1 + 2 * 2);
  CHECK(counted.encoded == 0);
}

TEST_CASE_METHOD(passes_fixture, "a guest that a stage changed is encoded once, for the record") {
  ask<store::queued_job>(front, actors::queue_atom_v, std::string{"g"}, job("reboot"));
  answer_in_state("stopped");
  answer_in_state("running");
  CHECK(counted.parsed == 1 + 2 * 2);
  CHECK(counted.encoded == 2);
}

TEST_CASE_METHOD(passes_fixture, "figures of a guest are parsed once on their way to the client") {
  const auto answer = ask<rpc::json::document>(front, actors::info_atom_v, std::string{"g"},
                                               actors::info_request{action("cpuMetrics"), {}});
  const auto body = R"({"result":{"cpu":[],"of":")" + std::string{mark} + R"("}})";
  sub_agent->take().tell(rpc::result_in(rpc::decode_answer(body, 0)));
  run();
  REQUIRE(answer->value);
  CHECK(answer->value->root().find("of")->as_string("of") == mark);
  CHECK(counted.parsed == 1);
  CHECK(counted.encoded == 0);
}
