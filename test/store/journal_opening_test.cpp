#include "test/store/file_size_limit.hpp"
#include "test/store/fixture.hpp"

#include "store/schema.hpp"

using namespace mistify;
using namespace mistify::store;

namespace {

/// The one line that a start on `path` says before it gives up.
std::string refusal(const std::string& path) {
  guest_index published;
  journal_settings settings;
  settings.path = path;
  auto error = failure_of([&] { journal{settings, published}; });
  CHECK(error.code() == rpc::errc::storage_failed);
  CHECK(error.message().starts_with("database " + path + ": "));
  CHECK(error.message().find('\n') == std::string::npos);
  CHECK(published.size() == 0);
  return error.message().substr(("database " + path + ": ").size());
}

/// Refused, and both the file and its folder are as they were.
std::string refusal_without_trace(const temp_folder& folder, const std::string& path) {
  auto bytes = read_file(path);
  auto files = folder.files();
  auto message = refusal(path);
  CHECK(read_file(path) == bytes);
  CHECK(folder.files() == files);
  return message;
}

/// A closed database with guests and jobs, of some pages.
void fill(journal_fixture& f) {
  for (int i = 0; i < 60; ++i)
    f.add_guest("guest-" + std::to_string(i), {}, "digest", {{"note", std::string(400, 'x')}});
  f.log.reset();
}

} // namespace

TEST_CASE("a journal makes the folder and the file, and leaves an empty log beside it when it closes") {
  temp_folder folder;
  journal_settings settings;
  settings.path = folder / "some/where/agent.db";
  guest_index published;
  { journal log{settings, published}; }
  CHECK(std::filesystem::is_regular_file(settings.path));
  CHECK(std::filesystem::file_size(settings.path + "-wal") == 0);
  CHECK(std::filesystem::exists(settings.path + "-shm")); // SQLite's index of the log
  CHECK(std::distance(std::filesystem::directory_iterator{folder / "some/where"}, {}) == 3);
}

TEST_CASE("a closed database is complete without the files beside it") {
  journal_fixture f;
  fill(f);
  for (const auto* suffix : {"-wal", "-shm"})
    std::filesystem::remove(f.path + suffix);
  f.open();
  CHECK(f.published->size() == 60);
}

TEST_CASE("a path of an empty file is taken") {
  journal_fixture f;
  f.log.reset();
  f.path = f.folder / "empty.db";
  write_file(f.path, "");
  f.open();
  CHECK(f.unfinished_ids().empty());
}

TEST_CASE("a second journal on the same file is refused") {
  journal_fixture f;
  f.add_guest("g");
  CHECK(refusal(f.path) == "the file is in use by another agent");
  std::filesystem::create_symlink(f.path, f.folder / "link.db");
  CHECK(refusal(f.folder / "link.db") == "the file is in use by another agent");
  f.add_job("still-works", "g");
  f.reopen();
  CHECK(f.unfinished_ids() == ids{"create-g", "still-works"});
}

TEST_CASE("a lock file that a killed import left is removed") {
  journal_fixture f;
  f.log.reset();
  write_file(f.path + ".lock", "");
  f.open();
  CHECK(f.published->size() == 0);
  CHECK_FALSE(std::filesystem::exists(f.path + ".lock"));
}

TEST_CASE("a folder in place of the file is refused") {
  temp_folder folder;
  std::filesystem::create_directory(folder / "agent.db");
  CHECK(refusal(folder / "agent.db") == "the file is a directory");
  CHECK(folder.files() == ids{"agent.db"});
}

TEST_CASE("a file in place of the folder is refused") {
  temp_folder folder;
  write_file(folder / "file", "x");
  CHECK(refusal(folder / "file/agent.db").starts_with("cannot make its folder: "));
}

TEST_CASE("a file or folder that may not be written is refused") {
  if (geteuid() == 0)
    return; // root may write anywhere
  journal_fixture f;
  fill(f);
  auto target = GENERATE(true, false) ? f.path : std::filesystem::path{f.path}.parent_path().string();
  std::filesystem::permissions(target, std::filesystem::perms::owner_write, std::filesystem::perm_options::remove);
  CHECK(refusal_without_trace(f.folder, f.path).ends_with(": Permission denied"));
  std::filesystem::permissions(target, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
}

TEST_CASE("a folder that takes no files is refused") {
  CHECK(refusal("/proc/agent.db").starts_with("cannot open the file: "));
  CHECK(refusal("/proc/self/nothing/agent.db").starts_with("cannot make its folder: "));
}

TEST_CASE("a start where no file may be made is refused without a trace, and goes well when there is room") {
  journal_fixture f;
  fill(f);
  for (const auto* suffix : {"-wal", "-shm"})
    std::filesystem::remove(f.path + suffix);
  if (GENERATE(true, false))
    std::filesystem::remove(f.path);
  {
    file_size_limit limit{0};
    auto existed = std::filesystem::exists(f.path);
    CHECK((existed ? refusal_without_trace(f.folder, f.path) : refusal(f.path)) == "disk I/O error");
    CHECK(f.folder.files() == (existed ? ids{"agent.db"} : ids{}));
  }
  f.open();
  CHECK(f.unfinished_ids().size() == f.published->size());
}

TEST_CASE("a device in place of the file is refused") {
  CHECK(refusal("/dev/null") == "the file is no regular file");
}

TEST_CASE("a file that is no database is refused and stays as it is") {
  temp_folder folder;
  for (const auto& bytes : {std::string{"x"}, std::string(100, '\0'), std::string(5000, 'x')}) {
    write_file(folder / "agent.db", bytes);
    CHECK(refusal_without_trace(folder, folder / "agent.db") == "the file is not a database");
  }
}

TEST_CASE("a database of another program is refused and stays as it is") {
  temp_folder folder;
  auto mode = GENERATE("DELETE", "WAL");
  {
    database other{folder / "agent.db", database::access::read_write};
    other.text("PRAGMA journal_mode = " + std::string{mode});
    other.execute("CREATE TABLE bookmarks (url TEXT)");
  }
  CHECK(refusal_without_trace(folder, folder / "agent.db") == "the file belongs to another program");
}

TEST_CASE("a newer schema is refused, and the file stays as it is, its WAL too") {
  journal_fixture f;
  fill(f);
  auto newest = std::to_string(migrations().size());
  database other{f.path, database::access::read_write};
  other.execute("PRAGMA user_version = 99");
  SECTION("in the file") {
    { auto closing = std::move(other); }
    CHECK(refusal_without_trace(f.folder, f.path) == "the schema is version 99, newer than this agent's " + newest);
  }
  SECTION("in the WAL that a crash left") {
    auto copy = f.folder / "copy.db";
    std::filesystem::copy_file(f.path, copy);
    std::filesystem::copy_file(f.path + "-wal", copy + "-wal");
    auto wal = read_file(copy + "-wal");
    REQUIRE_FALSE(wal.empty());
    CHECK(refusal_without_trace(f.folder, copy) == "the schema is version 99, newer than this agent's " + newest);
    CHECK(read_file(copy + "-wal") == wal);
  }
}

TEST_CASE("a corrupt file is refused and stays as it is") {
  journal_fixture f;
  fill(f);
  auto bytes = read_file(f.path);
  REQUIRE(bytes.size() > 20 * 4096);
  SECTION("cut off") {
    bytes.resize(bytes.size() / 2);
  }
  SECTION("a page of the schema overwritten") {
    bytes.replace(100, 3100, 3100, '\x5a'); // from the head of its tree on: what follows may be free space
  }
  SECTION("pages in the middle overwritten") {
    bytes.replace(3 * 4096, 16 * 4096, 16 * 4096, '\x5a'); // jobs and guests among them
  }
  write_file(f.path, bytes);
  auto message = refusal_without_trace(f.folder, f.path);
  INFO(message);
  CHECK((message.starts_with("the file is corrupt: ") || message.starts_with("database disk image is malformed") ||
         message.starts_with("malformed database schema")));
}

TEST_CASE("a guest's row that is no guest is set aside, and the others are there") {
  journal_fixture f;
  for (auto id : {"bad-json", "good", "other-id", "no-guest"})
    f.add_guest(id);
  f.log.reset();
  {
    database other{f.path, database::access::read_write};
    other.execute("UPDATE guests SET doc = '{\"id\":' WHERE id = 'bad-json'");
    other.execute("UPDATE guests SET doc = '{\"id\":\"x\"}' WHERE id = 'other-id'");
    other.execute("UPDATE guests SET doc = '{\"id\":\"no-guest\",\"memory\":-1}' WHERE id = 'no-guest'");
  }
  f.open();
  CHECK(f.published->size() == 1);
  CHECK(f.published->find("good"));
  CHECK(f.warnings.size() == 3);
  CHECK(f.warnings.front().find("guests 'bad-json'") != std::string::npos);

  f.warnings.clear();
  CHECK_FALSE(f.add_guest("bad-json", "again").repeated); // its id is free
  f.reopen();
  CHECK(f.warnings.empty());
  CHECK(f.published->size() == 2);
  f.log.reset();
  database other{f.path, database::access::read_write};
  CHECK(other.integer("SELECT count(*) FROM broken_rows WHERE source = 'guests' AND reason <> '' AND at > 0") == 3);
  CHECK(other.text("SELECT value FROM broken_rows WHERE key = 'bad-json'") == "{\"id\":");
}

TEST_CASE("many guests are all there after a start, each as it is stored, and those that are broken are set aside") {
  journal_fixture f;
  f.log.reset();
  const auto id_of = [](int i) { return "guest-" + std::to_string(10'000 + i); };
  constexpr int all = 2600, every = 650;
  {
    database other{f.path, database::access::read_write};
    transaction filling{other};
    statement insert{other, "INSERT INTO guests (id, doc) VALUES (?, ?)"};
    for (int i = all - 1; i >= 0; --i) {
      const auto doc = R"({"id":")" + id_of(i) + R"(","state":"running","wanted":"on","memory":2)";
      insert.run(id_of(i), doc + (i % every == 7 ? "" : i % every == 8 ? R"(,"name":"\u0061"})" : "}"));
    }
    filling.commit();
  }
  f.open();
  CHECK(f.published->size() == all - all / every);
  CHECK(f.warnings.size() == all / every);
  CHECK_FALSE(f.published->find(id_of(7)));
  CHECK(f.published->find(id_of(8))->facts.name == "a"); // one that is not scanned, but decoded
  for (const auto& guest : f.published->all())
    REQUIRE(guest->doc.find(guest->id) != std::string::npos);
  CHECK(f.board.sums().guests == f.published->size());
  CHECK(f.board.sums().allocated.memory == 2 * f.published->size());
}

TEST_CASE("a job with a status that is none is set aside") {
  journal_fixture f;
  f.add_guest("g");
  f.add_job("low", "g");
  f.add_job("high", "g");
  f.log.reset();
  {
    database other{f.path, database::access::read_write};
    other.execute("UPDATE jobs SET status = -1 WHERE id = 'low'; UPDATE jobs SET status = 4 WHERE id = 'high'");
  }
  f.open();
  CHECK(f.unfinished_ids() == ids{"create-g"});
  CHECK(f.logged_ids() == ids{"create-g"});
  REQUIRE(f.warnings.size() == 2);
  CHECK(f.warnings.back() == "set aside a broken row of jobs 'high': status: 4 is none");
}
