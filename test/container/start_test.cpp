#include "fixture.hpp"
#include "rpc/agents/container/known_containers.hpp"

using namespace mistify;
using namespace mistify::agents::container;
using Catch::Contains;
using Catch::StartsWith;
using test::container_lab;
using test::engine_call;
using test::engine_reply;
using words = std::vector<std::string>;

namespace {

std::string id_with(char digit) {
  return std::string(64, digit);
}

/// Containers without an agent around them, whose ids are kept.
struct start_lab : container_lab {
  engine on{fake.socket()};
  guest_marks marks{dir.path() / "marks"};
  containers all{on, marks, {}};
  const std::string look = "GET /containers/" + name + "/json", begin = "POST /containers/" + name + "/start";
  words made;

  start_lab() {
    all.known().watch(true);
    all.create(asked());
  }

  static container_call asked(rpc::guest g = guest()) {
    return {.guest = std::move(g), .action = "containerStart", .args = {}, .wait = {}};
  }
  /// The state after a start; `made` is what that asked the engine.
  std::string start(const rpc::guest& g = guest()) {
    const auto before = fake.calls().size();
    std::string outcome;
    try {
      outcome = state(all.start(asked(g)));
    } catch (const std::exception& e) {
      outcome = e.what();
    }
    const auto calls = fake.calls();
    made.assign(calls.begin() + static_cast<std::ptrdiff_t>(before), calls.end());
    return outcome;
  }
  void answer_start_with(engine_reply reply) {
    fake.set_trouble(
      [reply](const engine_call& c) { return c.path.ends_with("/start") ? std::optional{reply} : std::nullopt; });
  }
};

} // namespace

TEST_CASE_METHOD(start_lab,
                 "a container whose id is known is started by one call, and its nics take one look after it") {
  CHECK(start() == "running/");
  CHECK(made == words{begin});
  CHECK(fake.count_by_id(begin) == 1);
  fake.end(name, 0);
  auto g = guest();
  g.nics.resize(1);
  g.nics[0].network = "none";
  CHECK(start(g) == "running/");
  CHECK(made == words{begin});
  fake.end(name, 0);
  fake.with(name, [](auto& c) { c.networks = {"lan"}; });
  g.nics[0].network = "lan";
  CHECK(all.start(asked(g)).guest.nics[0].address == "172.17.0.2");
  CHECK(fake.calls().back() == look);
}

TEST_CASE_METHOD(start_lab, "without the engine's events nothing is taken as known") {
  all.known().watch(false);
  for (int i = 0; i < 2; ++i) {
    CHECK(start() == "running/");
    CHECK(made == words{look, begin, look});
    fake.end(name, 0);
  }
}

TEST_CASE_METHOD(start_lab, "a known container that runs or is paused is looked at, and is woken up") {
  start();
  CHECK(start() == "running/");
  CHECK(made == words{begin, look, look});
  all.pause(asked());
  CHECK(start() == "running/");
  CHECK(fake.get(name).status == "running");
  all.pause(asked());
  answer_start_with({409, R"({"message":"cannot start a paused container, try unpause instead"})"});
  CHECK(start() == "running/");
  CHECK(fake.get(name).status == "running");
}

TEST_CASE_METHOD(start_lab, "a known container that is gone is not found, and is known no more") {
  fake.vanish(name);
  CHECK_THAT(start(), StartsWith("not found"));
  CHECK(all.known().id_of(id).empty());
}

TEST_CASE_METHOD(start_lab, "a container that somebody else made in the place of a known one is left alone") {
  fake.vanish(name);
  fake.put(name, {.id = id_with('f'), .guest = "", .body = "{}"});
  CHECK_THAT(start(), StartsWith("conflict"));
  CHECK(fake.get(name).status == "created");
}

TEST_CASE_METHOD(start_lab,
                 "a look that finds another container, or none, makes an id that was noted late known no more") {
  fake.vanish(name);
  all.known().note(id, id_with('d'));
  all.look(id);
  CHECK(all.known().id_of(id).empty());
  fake.put(name, {.id = id_with('f'), .guest = "", .body = "{}"});
  all.known().note(id, id_with('d'));
  all.look(id);
  CHECK(all.known().id_of(id).empty());
}

TEST_CASE_METHOD(start_lab, "a container of the guest that was made again is started in the place of the known one") {
  auto again = fake.get(name);
  again.id = id_with('e');
  fake.put(name, again);
  CHECK(start() == "running/");
  CHECK(fake.get(name).status == "running");
  CHECK(all.known().id_of(id) == id_with('e'));
}

TEST_CASE_METHOD(start_lab, "an engine that refuses a known container, or is away, is an error as ever") {
  answer_start_with({500, R"({"message":"OCI runtime: no such file: /bin/x"})"});
  CHECK(start() == "OCI runtime: no such file: /bin/x");
  CHECK(made == words{begin, look, begin, look});
  fake.set_trouble({});
  all.find(id);
  fake.go_away();
  CHECK_THAT(start(), StartsWith("no container engine answers"));
  fake.come_back();
  CHECK(start() == "running/");
}

TEST_CASE_METHOD(start_lab, "an engine that starts a known container and breaks off has started it") {
  fake.set_trouble([this](const engine_call& c) -> std::optional<engine_reply> {
    if (!c.path.ends_with("/start"))
      return std::nullopt;
    fake.with(name, [](auto& one) { one.status = "running"; });
    return engine_reply{.raw = "HTTP/1.1 204", .then = [](int) {}};
  });
  CHECK(start() == "running/");
  fake.with(name, [](auto& one) { one.status = "exited"; });
  fake.set_trouble([](const engine_call& c) -> std::optional<engine_reply> {
    if (c.path.ends_with("/start"))
      return engine_reply{.raw = "HTTP/1.1 204", .then = [](int) {}};
    return std::nullopt;
  });
  CHECK_FALSE(start() == "running/");
}

TEST_CASE_METHOD(start_lab, "a guest that is deleted is known no more") {
  all.remove(asked());
  CHECK(all.known().id_of(id).empty());
}

TEST_CASE("ids are kept while events are read, are ids, and are bounded in number") {
  known_containers known;
  known.note("a", id_with('1'));
  CHECK(known.id_of("a").empty());
  known.watch(true);
  for (const auto& bad :
       {std::string{}, std::string{"../x"}, std::string(63, '1'), std::string(64, 'g'), std::string(65, '1')}) {
    known.note("a", bad);
    CHECK(known.id_of("a").empty());
  }
  known.note("a", id_with('1'));
  known.note("a", id_with('2'));
  CHECK(known.id_of("a") == id_with('2'));
  known.watch(true);
  CHECK(known.id_of("a").empty());
  std::size_t kept = 0;
  for (std::size_t i = 0; i <= known_containers::most; ++i)
    known.note(std::to_string(i), id_with('3'));
  for (std::size_t i = 0; i <= known_containers::most; ++i)
    kept += known.id_of(std::to_string(i)).empty() ? 0 : 1;
  CHECK(kept == known_containers::most);
  CHECK_FALSE(known.id_of(std::to_string(known_containers::most)).empty());
  for (const auto* action : {"rename", "destroy", "remove"})
    CHECK(ends_a_name(action));
  for (const auto* action : {"start", "die", "died", "stop", "pause", ""})
    CHECK_FALSE(ends_a_name(action));
}
