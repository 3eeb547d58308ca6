#include "command_run.hpp"
#include "fake_agent.hpp"
#include "http/cli/mistify/download.hpp"
#include "http/cli/mistify/sparse_writer.hpp"
#include "http/client/failure.hpp"
#include "test/system/daemon.hpp"
#include "test/system/temp_dir.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <sys/stat.h>

namespace mistify::test {

using Catch::Contains;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr auto guest = "11111111-aaaa-4aaa-8aaa-111111111111";

/// An agent with a snapshot of these bytes, a folder, and the command that downloads it there.
struct fixture {
  explicit fixture(const std::string& answer)
    : agent{[answer](const std::string&, std::size_t, int fd) { send_all(fd, answer); }} {}

  ran get(const std::string& file) const {
    return run_command({"-H", agent.url(), "snapshots", "download", guest, "s", file});
  }
  std::string at(const std::string& name) const { return (dir.path() / name).string(); }

  fake_agent agent;
  temp_dir dir;
};

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// A clock that only pauses move.
struct fake_time {
  std::chrono::steady_clock::time_point now{};
  cli::download_time time() {
    return {[this] { return now; }, [this](std::chrono::milliseconds pause) { now += pause; }};
  }
};

[[noreturn]] void break_off() {
  throw client::failure{client::fault::lost, "the connection was lost"};
}

} // namespace

TEST_CASE("A download replaces no FIFO and no device, and nothing is asked for") {
  const fixture f{answer_text("new")};
  const auto fifo = f.at("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0644) == 0);
  fs::create_symlink(fifo, f.at("link"));
  for (const auto& file : {fifo, f.at("link")}) {
    const auto got = f.get(file);
    INFO(got.err);
    CHECK(got.code == 2);
    CHECK(lines_in(got.err) == 1);
    CHECK_THAT(got.err, Contains(file + ": is no regular file; use - and redirect"));
  }
  CHECK(f.get(f.dir.path().string()).code == 2);
  CHECK(fs::is_fifo(fifo));
  CHECK(f.agent.requests().empty());
}

TEST_CASE("A download to a link replaces the file that the link leads to") {
  const fixture f{answer_text("new")};
  fs::create_directory(f.at("images"));
  const auto target = f.dir.write("images/disk", "old"), link = f.at("link");
  fs::create_symlink(target, link);
  CHECK(f.get(link).code == 0);
  CHECK(fs::is_symlink(link));
  CHECK(read_text(target) == "new");
  CHECK_FALSE(fs::is_symlink(target));
  CHECK_FALSE(fs::exists(link + ".part"));
  fs::remove(target);
  const auto dangling = f.get(link);
  CHECK(dangling.code == 2);
  CHECK_THAT(dangling.err, Contains("leads nowhere"));
  CHECK(fs::is_symlink(link));
}

TEST_CASE("A download that fails leaves no part behind, and a part of somebody else alone") {
  const fixture f{answer_text(R"({"message":"no such snapshot","code":404,"stack":[]})", "404 Not Found")};
  CHECK(f.get(f.at("new")).code == 3);
  CHECK_FALSE(fs::exists(f.at("new.part")));
  const auto own = f.dir.write("x.part", "mine");
  const auto asked = f.agent.requests().size();
  const auto got = f.get(f.at("x"));
  CHECK(got.code == 2);
  CHECK(lines_in(got.err) == 1);
  CHECK_THAT(got.err, Contains(own) && Contains("name another FILE"));
  CHECK(read_text(own) == "mine");
  CHECK(f.agent.requests().size() == asked);
  REQUIRE(::mkfifo(f.at("y.part").c_str(), 0644) == 0);
  CHECK(f.get(f.at("y")).code == 2);
  CHECK(fs::is_fifo(f.at("y.part")));
}

TEST_CASE("A part that a command left is begun anew, unless the command still writes it") {
  const fixture f{answer_text("new")};
  const auto file = f.at("disk");
  {
    cli::sparse_writer left{file};
    left.write("of a command that was ended");
    const auto got = f.get(file);
    CHECK(got.code == 1);
    CHECK_THAT(got.err, Contains("another command writes it"));
  }
  CHECK(read_text(file + ".part") == "of a command that was ended");
  CHECK(f.get(file).code == 0);
  CHECK(read_text(file) == "new");
  CHECK_FALSE(fs::exists(file + ".part"));
  CHECK((fs::status(file).permissions() & fs::perms::mask) == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("A part without a byte is removed") {
  const temp_dir dir;
  const auto file = (dir.path() / "disk").string();
  {
    cli::sparse_writer writer{file};
    writer.write("what broke off");
    CHECK(fs::exists(file + ".part"));
    writer.restart();
  }
  CHECK_FALSE(fs::exists(file + ".part"));
  cli::sparse_writer empty{file};
  empty.finish();
  CHECK(fs::file_size(file) == 0);
}

TEST_CASE("A download whose source breaks off each time at the same byte gives up") {
  const temp_dir dir;
  cli::sparse_writer file{(dir.path() / "disk").string()};
  fake_time p;
  const auto begin = p.now;
  int attempts = 0;
  try {
    fill(
      file,
      [&](const client::byte_receiver& to) {
        if (++attempts > 1000)
          throw std::runtime_error{"it never ends"};
        to("the same");
        break_off();
      },
      p.time());
    FAIL("it cannot be whole");
  } catch (const client::failure& e) {
    CHECK(e.code() == client::fault::lost);
  }
  CHECK(p.now - begin >= 30s);
  CHECK(p.now - begin < 31s);
}

TEST_CASE("A download that gets further with each attempt goes on") {
  const temp_dir dir;
  const auto name = (dir.path() / "disk").string();
  cli::sparse_writer file{name};
  fake_time p;
  std::string content;
  fill(
    file,
    [&](const client::byte_receiver& to) {
      content += "more ";
      p.now += 20s;
      to(content);
      if (content.size() < 100)
        break_off();
    },
    p.time());
  CHECK(read_text(name) == content);
}

} // namespace mistify::test
