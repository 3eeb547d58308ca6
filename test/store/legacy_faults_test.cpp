#include "test/store/file_size_limit.hpp"
#include "test/store/legacy_fixture.hpp"

#include "store/file_lock.hpp"

#include <csignal>
#include <map>
#include <sys/wait.h>

using namespace mistify;
using namespace mistify::store;

namespace {

/// The one line that the start says before it gives up, and nothing is changed or left in the folder.
std::string refusal(legacy_fixture& f, const std::string& import_from = {}) {
  auto bytes = [&] {
    std::map<std::string, std::string> all;
    for (const auto& name : f.folder.files())
      all[name] = std::filesystem::is_directory(f.folder / name) ? "" : read_file(f.folder / name);
    return all;
  };
  auto before = bytes();
  auto error = failure_of([&] { f.start(import_from); });
  CHECK(bytes() == before);
  CHECK(error.code() == rpc::errc::storage_failed);
  CHECK(error.message().find('\n') == std::string::npos);
  for (const auto& start :
       {"import of " + import_from + ": ", "import of " + f.settings.path + ": ", "database " + f.settings.path + ": "})
    if (error.message().starts_with(start))
      return error.message().substr(start.size());
  return error.message();
}

/// The original was killed while it wrote: part of a transaction is in the file, and the journal to undo it beside.
void crash_while_writing(const std::string& path) {
  auto victim = fork();
  REQUIRE(victim >= 0);
  if (victim == 0) {
    legacy_database old{path};
    old.db().execute("PRAGMA cache_size = 1; BEGIN IMMEDIATE");
    for (int i = 0; i < 200; ++i)
      old.put("hypervisor-metadata", "half-" + std::to_string(i), std::string(2000, 'x'));
    old.put("guests", first_id, "half");
    _exit(0); // closes nothing
  }
  int status = 0;
  waitpid(victim, &status, 0);
  REQUIRE(std::filesystem::file_size(path + "-journal") > 0);
}

} // namespace

TEST_CASE("a named database that is none of the original's is refused") {
  legacy_fixture f;
  CHECK(refusal(f, f.original) == "cannot read " + f.original + ": No such file or directory");
  write_file(f.original, "");
  CHECK(refusal(f, f.original) == "the file is no database of the original agent");
  write_file(f.original, std::string(5000, 'x'));
  CHECK(refusal(f, f.original) == "file is not a database");
  std::filesystem::remove(f.original);
  journal_fixture other;
  other.add_guest("g");
  other.log.reset();
  std::filesystem::copy_file(other.path, f.original);
  CHECK(refusal(f, f.original) == "the file is no database of the original agent");
  std::filesystem::remove(f.original);
  std::filesystem::create_directory(f.original);
  CHECK(refusal(f, f.original) == f.original + " is no regular file");
}

TEST_CASE("a corrupt database of the original is refused and stays as it is") {
  legacy_fixture f;
  auto path = GENERATE(true, false) ? f.settings.path : f.original;
  auto cut_off = GENERATE(true, false);
  f.fill(path);
  for (int i = 0; i < 200; ++i)
    legacy_database{path}.put("hypervisor-metadata", std::to_string(i), std::string(1000, 'x'));
  auto bytes = read_file(path);
  if (cut_off)
    bytes.resize(bytes.size() / 2);
  else
    bytes.replace(8 * 4096, 20 * 4096, 20 * 4096, '\x5a');
  write_file(path, bytes);
  CAPTURE(path, cut_off, bytes.size());
  auto message = refusal(f, path == f.original ? path : "");
  INFO(message);
  CHECK((message.starts_with("the file is corrupt: ") || message == "database disk image is malformed"));
}

TEST_CASE("a database that another program is writing at the moment is refused") {
  legacy_fixture f;
  f.fill(f.original);
  int ready[2]; // the writer has its lock
  REQUIRE(pipe(ready) == 0);
  auto writer = fork();
  REQUIRE(writer >= 0);
  if (writer == 0) {
    database old{f.original, database::access::read_write};
    old.execute("BEGIN EXCLUSIVE");
    (void)!write(ready[1], "x", 1);
    pause();
  }
  char go = 0;
  REQUIRE(read(ready[0], &go, 1) == 1);
  CHECK(refusal(f, f.original) == "cannot lock " + f.original + ": Resource temporarily unavailable");
  kill(writer, SIGKILL);
  int status = 0;
  waitpid(writer, &status, 0);
  close(ready[0]);
  close(ready[1]);
  f.start(f.original);
  CHECK(f.published->size() == 2);
}

TEST_CASE("what the original left half written at a crash is undone, in the copy only until all is well") {
  legacy_fixture f;
  auto path = GENERATE(true, false) ? f.settings.path : f.original;
  f.fill(path);
  auto whole = read_file(path);
  crash_while_writing(path);
  auto half = read_file(path);
  REQUIRE(half != whole);
  REQUIRE((path == f.original || is_legacy_database(path)));
  SECTION("and comes over") {
    f.start(path == f.original ? path : "");
    CHECK(f.doc(first_id) == legacy_guest(first_id, R"(,"wanted":"on","cpu":2)"));
    CHECK(f.published->metadata() == rpc::metadata_map{{"rack", "b7"}});
    CHECK(f.published->size() == 2);
    CHECK_FALSE(std::filesystem::exists(f.settings.path + "-journal"));
    if (path == f.original)
      CHECK(read_file(path) == half);
    std::filesystem::rename(f.settings.path + ".original", f.settings.path);
    f.start();
    CHECK(f.published->size() == 2);
  }
  SECTION("and is refused on a full disk") {
    file_size_limit limit{4096};
    CHECK(refusal(f, path == f.original ? path : "").find("File too large") != std::string::npos);
  }
}

TEST_CASE("on a full disk the import is refused and leaves nothing, and works when there is room") {
  legacy_fixture f;
  f.fill(f.settings.path);
  for (auto bytes : {0, 4096, 20000}) {
    file_size_limit limit{static_cast<rlim_t>(bytes)};
    auto message = refusal(f);
    INFO(message);
    CHECK((message.ends_with(": File too large") || message == "disk I/O error"));
  }
  f.start();
  CHECK(f.published->size() == 2);
}

TEST_CASE("a path where no database can be is refused") {
  legacy_fixture f;
  f.fill(f.original);
  write_file(f.folder / "file", "x");
  f.settings.path = f.folder / "file/agent.db";
  CHECK(refusal(f, f.original).starts_with("cannot make its folder: "));
  f.settings.path = "/proc/agent.db";
  CHECK(refusal(f, f.original).starts_with("cannot make the lock file: "));
}

TEST_CASE("two agents do not import at a time") {
  legacy_fixture f;
  f.fill(f.settings.path);
  file_lock other{f.settings.path + ".lock"};
  CHECK(refusal(f) == "the file is in use by another agent");
}

TEST_CASE("a database that appeared meanwhile is not replaced") {
  legacy_fixture f;
  f.fill(f.original);
  write_file(f.settings.path, "x");
  auto error = failure_of([&] { import_legacy(f.original, f.settings); });
  CHECK(error.message() == "import of " + f.original + ": there is another database at " + f.settings.path);
  CHECK(read_file(f.settings.path) == "x");
}

TEST_CASE("journals of a database that is gone do not get into the new one") {
  legacy_fixture f;
  f.fill(f.original);
  {
    journal_fixture gone;
    gone.add_guest("ghost");
    std::filesystem::copy_file(gone.path + "-wal", f.settings.path + "-wal");
  }
  f.start(f.original);
  CHECK(f.published->size() == 2);
  CHECK_FALSE(f.published->find("ghost"));
}

TEST_CASE("killed at any moment, the import leaves the original's database or the finished new one") {
  using std::chrono::steady_clock;
  auto check = [](legacy_fixture& f, std::chrono::nanoseconds after) {
    auto victim = fork();
    REQUIRE(victim >= 0);
    if (victim == 0) {
      import_legacy(f.settings.path, f.settings);
      _exit(0);
    }
    for (auto end = steady_clock::now() + after; steady_clock::now() < end;) {
    }
    kill(victim, SIGKILL);
    int status = 0;
    waitpid(victim, &status, 0);
    return WIFSIGNALED(status);
  };
  std::size_t killed = 0, unfinished = 0;
  std::chrono::nanoseconds whole{0};
  // Thirty moments spread over the import, and more where a busy machine let too few of them fall into it.
  constexpr int moments = 30, most = 20 * moments;
  const auto enough = [&] { return killed > 5 && unfinished > 5; };
  for (int i = 0; i <= moments || (i <= most && !enough()); ++i) {
    legacy_fixture f;
    f.fill(f.settings.path);
    auto bytes = read_file(f.settings.path);
    if (i == 0) {
      auto begin = steady_clock::now();
      check(f, std::chrono::seconds{0});
      import_legacy(f.settings.path, f.settings);
      whole = (steady_clock::now() - begin) * 3 / 2;
      continue;
    }
    killed += check(f, whole * (i % moments) / moments) ? 1 : 0;
    if (is_legacy_database(f.settings.path)) {
      ++unfinished;
      CHECK(read_file(f.settings.path) == bytes);
    }
    f.start();
    CHECK(f.published->size() == 2);
    CHECK(f.folder.files() == ids{"agent.db", "agent.db-shm", "agent.db-wal", "agent.db.original"});
    CHECK(f.job_ids() == ids{"j2", "j1"});
    CHECK(read_file(f.folder / "agent.db.original") == bytes);
  }
  CHECK(killed > 5);
  CHECK(unfinished > 5);
}
