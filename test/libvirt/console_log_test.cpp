#include "rpc/agents/libvirt/console_log.hpp"
#include "rpc/agents/libvirt/guest_log.hpp"
#include "test/libvirt/fixture.hpp"

#include <atomic>
#include <fstream>
#include <thread>

using namespace mistify;
using namespace mistify::agents;
using namespace std::chrono_literals;

namespace {

constexpr const char* id = "0a1b2c3d-0000-4000-8000-000000000001";

/// A folder of console logs, and what virtlogd does in it.
struct log_lab {
  test::temp_dir dir;
  std::filesystem::path folder = dir.path();
  std::filesystem::path file = folder / (id + std::string{".log"});
  std::atomic<bool> there{true};
  guest_log log{folder, [this](const rpc::log_request&) { return there.load(); }, {1ms, 1}};

  void say(std::string_view text) const { std::ofstream{file, std::ios::app} << text; }
  std::filesystem::path older(int i) const { return file.string() + '.' + std::to_string(i); }
  void rotate() const {
    for (int i = 3; i > 0; --i)
      if (std::filesystem::exists(older(i - 1)))
        std::filesystem::rename(older(i - 1), older(i));
    std::filesystem::rename(file, older(0));
    say("");
  }

  static std::string request(const std::string& more) { return R"({"guest":")" + std::string{id} + '"' + more + '}'; }
  std::string read(const std::string& more) const {
    std::string out;
    const auto answer = log.answer(request(more));
    INFO(answer.text);
    REQUIRE(answer.stream);
    CHECK(answer.stream([&](std::string_view bytes) {
      out += bytes;
      return true;
    }));
    return out;
  }
  /// Follows, and calls `next` each time that something new has come, with how often that was.
  template <class Next>
  std::string follow(const std::string& more, Next next) {
    std::string out;
    int times = 0;
    const auto answer = log.answer(request(R"(,"follow":true)" + more));
    REQUIRE(answer.stream);
    answer.stream([&](std::string_view bytes) {
      out += bytes;
      if (!bytes.empty() || times == 0)
        next(++times);
      return true;
    });
    return out;
  }
};

std::string all_of(console_log& log) {
  std::string out;
  log.pass_on(0, [&](std::string_view bytes) {
    out += bytes;
    return true;
  });
  return out;
}

} // namespace

TEST_CASE_METHOD(log_lab, "a console's log is what the older files and the newest have, in order") {
  say("one\n");
  rotate();
  say("two\n");
  rotate();
  say("three\nfo");
  CHECK(read("") == "one\ntwo\nthree\nfo");
  CHECK(read(R"(,"offset":2,"limit":4)") == "e\ntw");
  CHECK(read(R"(,"offset":100)").empty());
  CHECK(read(R"(,"limit":0)").empty());
}

TEST_CASE_METHOD(log_lab, "the last lines are counted over the files, and bytes behind the last end are a line") {
  say("one\n");
  rotate();
  say("two\nthree\n");
  CHECK(read(R"(,"tail":0)").empty());
  CHECK(read(R"(,"tail":1)") == "three\n");
  CHECK(read(R"(,"tail":2)") == "two\nthree\n");
  CHECK(read(R"(,"tail":3)") == "one\ntwo\nthree\n");
  CHECK(read(R"(,"tail":18446744073709551615)") == "one\ntwo\nthree\n");
  say("fo");
  CHECK(read(R"(,"tail":1)") == "fo");
  CHECK(read(R"(,"tail":2)") == "three\nfo");
  rotate();
  CHECK(read(R"(,"tail":1)") == "fo");
}

TEST_CASE_METHOD(log_lab, "an older file that is missing hides none of the others") {
  for (const auto* text : {"one\n", "two\n", "three\n"}) {
    say(text);
    rotate();
  }
  say("four\n");
  std::filesystem::remove(older(1));
  CHECK(read("") == "one\nthree\nfour\n");
  CHECK(read(R"(,"tail":3)") == "one\nthree\nfour\n");
  std::filesystem::remove(older(0));
  std::filesystem::remove(file);
  CHECK(read("") == "one\n");
}

TEST_CASE_METHOD(log_lab, "a file that is renamed while all are opened is read once") {
  say("one\n");
  std::filesystem::create_hard_link(file, older(0));
  std::filesystem::create_hard_link(file, older(1));
  CHECK(read("") == "one\n");
}

TEST_CASE_METHOD(log_lab, "lines are not looked for further back than 64 MB") {
  say("first\n");
  std::filesystem::resize_file(file, console_log::longest_look_back + 100); // NUL bytes: no line ends
  const console_log open{folder, id};
  int asked = 0;
  CHECK(open.start_of_last(5, [&](std::string_view) { return ++asked > 0; }) == 100U);
  CHECK(asked > 500);
}

TEST_CASE_METHOD(log_lab, "a reader that leaves while its lines are looked for ends that") {
  say(std::string(1'000'000, 'x'));
  const console_log open{folder, id};
  int asked = 0;
  CHECK_FALSE(open.start_of_last(5, [&](std::string_view) { return ++asked < 3; }));
  CHECK(asked == 3);
}

TEST_CASE_METHOD(log_lab, "lines longer than what is read at a time are found") {
  const std::string line(200'000, 'x');
  say("first\n" + line + "\n");
  CHECK((read(R"(,"tail":1)") == line + "\n"));
  CHECK((read(R"(,"tail":2)") == "first\n" + line + "\n"));
}

TEST_CASE_METHOD(log_lab, "a machine that has not said anything has an empty log") {
  CHECK(read("").empty());
  CHECK(read(R"(,"tail":5)").empty());
}

TEST_CASE_METHOD(log_lab, "a log that is followed loses nothing to rotation, until the machine is deleted") {
  say("a");
  const auto out = follow("", [&](int times) {
    if (times == 1)
      say("b");
    if (times == 2) { // two files became older between two looks
      say("c");
      rotate();
      say("d");
      rotate();
      say("e");
    }
    if (times == 5)
      there = false;
  });
  CHECK(out == "abcde");
}

TEST_CASE_METHOD(log_lab, "a log is followed from the start where the machine starts later, and an offset counts on") {
  const auto out = follow(R"(,"offset":2)", [&](int times) {
    if (times == 1)
      say("abcd");
    if (times == 2)
      there = false;
  });
  CHECK(out == "cd");
}

TEST_CASE_METHOD(log_lab, "a limit ends a log that is followed") {
  say("abcdef");
  CHECK(follow(R"(,"limit":3)", [](int) {}) == "abc");
}

TEST_CASE_METHOD(log_lab, "a receiver that leaves ends what it follows, though nothing is written") {
  const auto answer = log.answer(request(R"(,"follow":true)"));
  REQUIRE(answer.stream);
  answer.stream([](std::string_view) { return false; });
  SUCCEED("it came back");
}

TEST_CASE_METHOD(log_lab, "a machine whose place another's domain took ends what follows it") {
  const guest_log taken{folder,
                        [calls = 0](const rpc::log_request&) mutable {
                          if (++calls == 1)
                            return true;
                          throw std::runtime_error{calls < 4 ? "libvirtd is away" : "conflict: it is another's"};
                        },
                        {1ms, 1}};
  const auto answer = taken.answer(request(R"(,"follow":true)"));
  REQUIRE(answer.stream);
  CHECK(answer.stream([](std::string_view) { return true; }));
}

TEST_CASE_METHOD(log_lab, "only a plain file is read, not what a link leads to") {
  dir.write("secret", "secret");
  std::filesystem::create_symlink("secret", file);
  const auto link = log.answer(request(""));
  CHECK(link.status == 500);
  CHECK_FALSE(link.stream);
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  CHECK(log.answer(request("")).status == 500);
  // Nor does one that comes while the log is read.
  std::filesystem::remove(file);
  say("a");
  console_log open{folder, id};
  CHECK(all_of(open) == "a");
  std::filesystem::remove(file);
  std::filesystem::create_symlink("secret", file);
  CHECK_THROWS_AS(open.pass_on_new([](std::string_view) { return true; }), std::system_error);
}

TEST_CASE_METHOD(test::libvirt_fixture, "the log of a guest is that of its own machine") {
  rpc::endpoint to = test::caller::at(agent.server());
  to.path = "/guests/log";
  rpc::client client{to};
  const auto read = [&](const std::string& guest) {
    std::string out;
    client.download(R"({"guest":{"id":")" + guest + R"("},"follow":false})", 5s, {},
                    {[](std::int64_t) {},
                     [&](std::string_view bytes) {
                       out += bytes;
                       return true;
                     }});
    return out;
  };
  const auto status = [&](const std::string& guest) {
    try {
      read(guest);
      return 200;
    } catch (const rpc::download_refused& e) {
      return e.status();
    }
  };
  dir.write("consoles/" + std::string{id} + ".log", "hello\n");
  CHECK(status(id) == 404); // a file alone is no machine
  guest("CreateGuest", small());
  CHECK(read(id) == "hello\n");
  for (const auto* bad : {"", "../secret", "test", "0a1b2c3d-0000-4000-8000-00000000000g"})
    CHECK(status(bad) == 400);
  guest("Delete", small());
  CHECK(status(id) == 404);
}
