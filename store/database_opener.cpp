#include "store/database_opener.hpp"

#include "rpc/base/error.hpp"
#include "store/disk_error.hpp"
#include "store/schema.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace mistify::store {

namespace {

namespace fs = std::filesystem;

/// Files up to this size are checked for corruption at each start: about 10 ms. Reading a large file from a slow disk
/// would delay the start by seconds. Large files only get the implicit checks: SQLite checks the header and the
/// schema, and the start reads all guests and the job log's indexes. Damage elsewhere causes `storage_failed` when a
/// row is read. A crash needs no further check: the WAL has checksums, and unfinished transactions in it are ignored.
constexpr std::uintmax_t small_file = 16 << 20;

[[noreturn]] void refuse(const std::string& why) {
  throw rpc::failure{rpc::errc::storage_failed, why};
}

void check_place(const fs::path& path) {
  std::error_code error;
  auto status = fs::status(path, error);
  if (fs::is_directory(status))
    refuse("the file is a directory");
  if (fs::exists(status) && !fs::is_regular_file(status))
    refuse("the file is no regular file");
  if (fs::exists(status) && access(path.c_str(), R_OK | W_OK) != 0)
    refuse("cannot be read and written: " + describe_error(errno));
  if (!fs::exists(status) && path.has_parent_path() && !fs::create_directories(path.parent_path(), error) && error)
    refuse("cannot make its folder: " + error.message());
}

/// SQLite itself treats a file of one byte as empty, and would overwrite it.
void check_magic(const fs::path& path) {
  constexpr std::string_view magic{"SQLite format 3\0", 16};
  std::array<char, magic.size()> start{};
  std::ifstream file{path, std::ios::binary};
  file.read(start.data(), start.size());
  if (file.gcount() > 0 && std::string_view{start.data(), start.size()} != magic)
    refuse("the file is not a database");
}

std::vector<std::string> absent_of(const std::string& path) {
  std::vector<std::string> absent;
  std::error_code error;
  for (auto suffix : {"", "-wal", "-shm", "-journal"})
    if (!fs::exists(path + suffix, error))
      absent.push_back(path + suffix);
  return absent;
}

/// Removes the lock file of an import that was killed near its end. A running import keeps its lock.
void remove_import_lock(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path + ".lock", error))
    return;
  try {
    file_lock{path + ".lock"};
  } catch (const rpc::failure&) { // held or not removable: opening the database does not need it
  }
}

} // namespace

std::string usable_place(const std::string& path) {
  check_place(path);
  // The real path gives one lock, and is where SQLite creates the WAL.
  std::error_code error;
  auto real = fs::weakly_canonical(path, error).string();
  if (error)
    refuse("cannot be found: " + error.message());
  return real;
}

void check_for_corruption(database& db) {
  auto verdict = db.text("PRAGMA quick_check(1)");
  std::ranges::replace(verdict, '\n', ' ');
  if (verdict != "ok")
    refuse("the file is corrupt: " + verdict);
}

opened_file::opened_file(const std::string& path) : path_{path} {
  auto real = usable_place(path);
  check_magic(real);
  litter_ = absent_of(real);
  lock_.emplace(real, file_lock::what::database);
  remove_import_lock(path);
  try {
    open(real);
  } catch (...) {
    db_.reset();
    for (const auto& file : litter_)
      unlink(file.c_str());
    throw;
  }
}

opened_file::~opened_file() {
  if (!parts_.empty())
    empty_wal_at_close();
  db_.reset(); // closed before its files are removed
  for (const auto& file : litter_)
    unlink(file.c_str());
}

void opened_file::open(const std::string& path) {
  db_.emplace(path, database::access::read_write);
  db_->leave_wal(true);
  if (!db_->is_at_its_path() || identity_of(path) != lock_->locked())
    refuse("the file was replaced while it was opened");
  auto version = schema_version(*db_);
  auto current = version == migrations().size();
  std::error_code error;
  if (version > 0 && (!current || fs::file_size(path, error) <= small_file))
    check_for_corruption(*db_);
  // Keeps statement journals in memory: temporary files would add failures of their own.
  db_->execute("PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL");
  if (db_->text("PRAGMA journal_mode = WAL") != "wal")
    refuse("the file cannot have a write-ahead log");
  if (!current)
    migrate(*db_);
}

void opened_file::accept(std::size_t max_bytes) {
  // A burst may grow the WAL; this returns the disk space afterwards.
  db_->execute("PRAGMA journal_size_limit = 67108864");
  if (max_bytes > 0) {
    auto pages = max_bytes / static_cast<std::size_t>(db_->integer("PRAGMA page_size"));
    db_->integer("PRAGMA max_page_count = " + std::to_string(pages));
  }
  db_->leave_wal(false);
  db_->keep_wal_files();
  litter_.clear();
  db_->integer("SELECT count(*) FROM sqlite_schema"); // the first read creates the files beside it
  const auto real = usable_place(path_);              // where SQLite creates them, with links resolved
  parts_ = {
    {path_, lock_->locked()}, {real + "-wal", identity_of(real + "-wal")}, {real + "-shm", identity_of(real + "-shm")}};
  require_in_place();
}

/// The WAL files stay for the next start, see `keep_wal_files`. Failing that, the WAL stays as long as it is.
void opened_file::empty_wal_at_close() noexcept {
  try {
    db_->execute("PRAGMA journal_size_limit = 0");
  } catch (const rpc::failure&) { // closing goes on
  }
}

void opened_file::require_in_place() const {
  for (const auto& [path, known] : parts_) {
    const auto now = identity_of(path);
    if (now == known)
      continue;
    refuse("the database file " + path + (now ? " was replaced by another one" : " was removed") +
           " under the agent: nothing is written until it is back, or the agent is started again");
  }
}

} // namespace mistify::store
