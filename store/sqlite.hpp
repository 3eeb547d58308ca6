#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

struct sqlite3;
struct sqlite3_stmt;

namespace mistify::store {

struct statement_finalizer {
  void operator()(sqlite3_stmt* handle) const noexcept;
};
using statement_handle = std::unique_ptr<sqlite3_stmt, statement_finalizer>;

/// One connection to a SQLite file. Belongs to one thread at a time. Every member throws `failure{storage_failed}`
/// with SQLite's reason ("database or disk is full").
class database {
public:
  enum class access {
    read_only,
    read_write, ///< creates the file if absent
    untouched,  ///< reads the file as it is: no locks, no journal, creates no files
  };

  database(const std::string& path, access how);

  /// Runs one or more statements that return no rows.
  void execute(const char* sql);

  /// Statements that begin and end transactions; see `transaction`. Compiled once.
  enum class mark { begin, commit };
  void run(mark what);

  /// Returns the first column of a query's first row, such as a pragma.
  std::int64_t integer(std::string_view sql);
  std::string text(std::string_view sql);

  /// False after SQLite rolled the transaction back by itself, as it may when a write fails.
  bool in_transaction() const noexcept;

  /// False if the path that was opened now leads to another file, or to none.
  bool is_at_its_path() const noexcept;

  std::int64_t last_row() const noexcept; ///< rowid of the last insert
  std::int64_t changed() const noexcept;  ///< rows changed by the last insert, update or delete
  std::int64_t written() const noexcept;  ///< rows changed since the connection was opened, including those rolled back

  /// Closing usually checkpoints the WAL into the file; `true` leaves both unchanged.
  void leave_wal(bool yes) noexcept;

  /// From now on, closing empties the WAL but leaves it and the shared-memory file in place, so that opening the database
  /// again creates no file: a full disk may have no room for one.
  void keep_wal_files() noexcept;

  /// Statements that are made from now on are compiled at once: for who looks at what SQLite makes of them.
  void compile_at_once() noexcept { compiles_at_once_ = true; }
  bool compiles_at_once() const noexcept { return compiles_at_once_; }

  sqlite3* handle() const noexcept { return handle_.get(); }

private:
  struct closer {
    void operator()(sqlite3* handle) const noexcept;
  };
  std::unique_ptr<sqlite3, closer> handle_;
  std::array<statement_handle, 2> marks_; // indexed by `mark`, compiled on first use
  bool compiles_at_once_ = false;
};

class query;

/// A prepared statement, compiled when it is used first and reused then: of all statements, a start uses few. Must not
/// outlive its database.
class statement {
public:
  statement(const database& db, std::string_view sql);

  /// Binds `values` to the parameters in order and starts the query. One query at a time.
  template <class... Ts>
  query operator()(const Ts&... values);

  /// Runs to completion; for statements without rows.
  template <class... Ts>
  void run(const Ts&... values);

private:
  enum class lifetime { short_lived, until_reset };
  template <class T>
  void bind(int index, const T& value, lifetime lives);
  void bind_integer(int index, std::int64_t value);
  void bind_text(int index, std::string_view value, lifetime lives);
  sqlite3_stmt* compiled();

  sqlite3* db_;
  std::string sql_; // until it is compiled
  statement_handle handle_;
};

/// The rows of a running statement. The destructor resets the statement, so that no read lock remains.
class query {
public:
  explicit query(sqlite3_stmt* handle) noexcept : handle_{handle} {}
  ~query();
  query(const query&) = delete;
  query& operator=(const query&) = delete;

  bool next(); ///< moves to the next row; false at the end

  std::int64_t integer(int column) const noexcept;
  std::string text(int column) const;
  bool is_null(int column) const noexcept;

private:
  sqlite3_stmt* handle_;
};

/// A write transaction; rolled back unless committed. Takes the write lock at once: if the first write took it, it
/// would fail instead of waiting for another writer.
class transaction {
public:
  explicit transaction(database& db);
  ~transaction();
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  void commit(); ///< if it throws, nothing is kept; the destructor rolls back
  void undo() noexcept;

private:
  database& db_;
};

template <class T>
void statement::bind(int index, const T& value, lifetime lives) {
  if constexpr (std::is_integral_v<T>)
    bind_integer(index, static_cast<std::int64_t>(value));
  else
    bind_text(index, value, lives);
}

template <class... Ts>
query statement::operator()(const Ts&... values) {
  [[maybe_unused]] int index = 0;
  auto* const handle = compiled();
  (bind(++index, values, lifetime::short_lived), ...);
  return query{handle};
}

template <class... Ts>
void statement::run(const Ts&... values) {
  [[maybe_unused]] int index = 0;
  query rows{compiled()}; // its destructor unbinds values that are not copied
  (bind(++index, values, lifetime::until_reset), ...);
  while (rows.next()) {
  }
}

} // namespace mistify::store
