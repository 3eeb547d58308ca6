#include "store/sqlite.hpp"

#include "rpc/base/error.hpp"
#include "store/disk_error.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <filesystem>

namespace mistify::store {

namespace {

/// How long to wait for another program that holds the write lock, such as a backup, in milliseconds.
constexpr int busy_ms = 1000;

/// Returns the system's error behind SQLite's; 0 if there is none. SQLite keeps none for a full disk; `errno`, which
/// was cleared before the call, still has it.
int system_error_of(sqlite3* handle, int code) noexcept {
  const int last = errno;
  switch (code & 0xff) {
  case SQLITE_FULL: return last;
  case SQLITE_IOERR:
  case SQLITE_CANTOPEN:
  case SQLITE_READONLY: return is_disk_error(last) || !handle ? last : sqlite3_system_errno(handle);
  default: return 0;
  }
}

[[noreturn]] void fail(sqlite3* handle, int code) {
  const int number = system_error_of(handle, code);
  // A connection that could not be allocated has no message.
  std::string message = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  if (is_disk_error(number))
    message += ": " + describe_error(number);
  throw rpc::failure{rpc::errc::storage_failed, std::move(message)};
}

void check(sqlite3* handle, int code) {
  if (code != SQLITE_OK)
    fail(handle, code);
}

/// Returns SQLite's URI for a file that is only read, without locks.
std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (char c : std::filesystem::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#')
      uri += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
    else
      uri += c;
  }
  return uri + "?immutable=1";
}

int flags_of(database::access how) {
  // NOMUTEX: a connection is never shared. EXRESCODE: extended codes name the I/O operation that failed.
  constexpr auto always = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (how) {
  case database::access::read_only: return always | SQLITE_OPEN_READONLY;
  case database::access::read_write: return always | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  case database::access::untouched: return always | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  }
  return always;
}

statement_handle compile(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const auto code =
    sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  statement_handle made{handle};
  check(db, code);
  return made;
}

/// Disables SQLite's global memory statistics: their lock costs a twentieth of the time of a job's steps, and they
/// are not used. Has no effect, and need not, once SQLite is initialised.
void count_no_memory() {
  [[maybe_unused]] static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

std::string_view text_of(database::mark what) {
  switch (what) {
  case database::mark::begin: return "BEGIN IMMEDIATE";
  case database::mark::commit: return "COMMIT";
  }
  return {};
}

} // namespace

// -- database ------------------------------------------------------------------------------------------------------

database::database(const std::string& path, access how) {
  count_no_memory();
  sqlite3* handle = nullptr;
  const auto name = how == access::untouched ? immutable_uri(path) : path;
  auto code = sqlite3_open_v2(name.c_str(), &handle, flags_of(how), nullptr);
  handle_.reset(handle);
  check(handle, code);
  check(handle, sqlite3_busy_timeout(handle, busy_ms));
}

void database::closer::operator()(sqlite3* handle) const noexcept {
  sqlite3_close_v2(handle);
}

void database::execute(const char* sql) {
  errno = 0;
  check(handle(), sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr));
}

void database::run(mark what) {
  auto& compiled = marks_[static_cast<std::size_t>(what)];
  if (!compiled)
    compiled = compile(handle(), text_of(what));
  query{compiled.get()}.next();
}

std::int64_t database::integer(std::string_view sql) {
  statement ask{*this, sql};
  auto rows = ask();
  return rows.next() ? rows.integer(0) : 0;
}

std::string database::text(std::string_view sql) {
  statement ask{*this, sql};
  auto rows = ask();
  return rows.next() ? rows.text(0) : std::string{};
}

bool database::in_transaction() const noexcept {
  return sqlite3_get_autocommit(handle()) == 0;
}

bool database::is_at_its_path() const noexcept {
  int moved = 0;
  sqlite3_file_control(handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved == 0;
}

std::int64_t database::last_row() const noexcept {
  return sqlite3_last_insert_rowid(handle());
}

std::int64_t database::changed() const noexcept {
  return sqlite3_changes64(handle());
}

std::int64_t database::written() const noexcept {
  return sqlite3_total_changes64(handle());
}

void database::leave_wal(bool yes) noexcept {
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, yes ? 1 : 0, nullptr);
}

void database::keep_wal_files() noexcept {
  int keep = 1;
  sqlite3_file_control(handle(), nullptr, SQLITE_FCNTL_PERSIST_WAL, &keep);
}

// -- statement -----------------------------------------------------------------------------------------------------

statement::statement(const database& db, std::string_view sql) : db_{db.handle()}, sql_{sql} {
  if (db.compiles_at_once())
    compiled();
}

sqlite3_stmt* statement::compiled() {
  if (!handle_) {
    handle_ = compile(db_, sql_);
    sql_ = {};
  }
  return handle_.get();
}

void statement_finalizer::operator()(sqlite3_stmt* handle) const noexcept {
  sqlite3_finalize(handle);
}

void statement::bind_integer(int index, std::int64_t value) {
  check(sqlite3_db_handle(handle_.get()), sqlite3_bind_int64(handle_.get(), index, value));
}

void statement::bind_text(int index, std::string_view value, lifetime lives) {
  // A null pointer would bind NULL instead of an empty text. A copy (TRANSIENT) lets callers pass temporaries.
  auto text = value.data() ? value.data() : "";
  auto copied = lives == lifetime::until_reset ? SQLITE_STATIC : SQLITE_TRANSIENT;
  auto code = sqlite3_bind_text64(handle_.get(), index, text, value.size(), copied, SQLITE_UTF8);
  check(sqlite3_db_handle(handle_.get()), code);
}

query::~query() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

bool query::next() {
  errno = 0;
  auto code = sqlite3_step(handle_);
  if (code == SQLITE_ROW)
    return true;
  if (code != SQLITE_DONE)
    fail(sqlite3_db_handle(handle_), code);
  return false;
}

std::int64_t query::integer(int column) const noexcept {
  return sqlite3_column_int64(handle_, column);
}

std::string query::text(int column) const {
  auto data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
  return data ? std::string{data, size} : std::string{};
}

bool query::is_null(int column) const noexcept {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

// -- transaction ---------------------------------------------------------------------------------------------------

transaction::transaction(database& db) : db_{db} {
  db.run(database::mark::begin);
}

transaction::~transaction() {
  undo();
}

void transaction::commit() {
  db_.run(database::mark::commit);
}

void transaction::undo() noexcept {
  if (db_.in_transaction())
    sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

} // namespace mistify::store
