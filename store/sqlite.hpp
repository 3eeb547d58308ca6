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

/// One connection to a SQLite file. Belongs to one thread at a time. Everything throws `failure{storage_failed}` with
/// SQLite's reason ("database or disk is full").
class database {
public:
  enum class access {
    read_only,
    read_write, ///< creates the file if absent
    untouched,  ///< the bare file as it lies there: no locks, no journal, nothing made beside it
  };

  database(const std::string& path, access how);

  /// Runs one or more statements that give no rows.
  void execute(const char* sql);

  /// What begins and ends transactions; see `transaction`. Compiled once.
  enum class mark { begin, commit };
  void run(mark what);

  /// First column of the first row of a query, such as a pragma.
  std::int64_t integer(std::string_view sql);
  std::string text(std::string_view sql);

  /// False after SQLite gave up a transaction by itself, as it may when a write fails.
  bool in_transaction() const noexcept;

  /// False when the path that it was opened by leads to another file now, or to none.
  bool is_at_its_path() const noexcept;

  std::int64_t last_row() const noexcept; ///< rowid of the last insert
  std::int64_t changed() const noexcept;  ///< rows that the last insert, update or delete touched
  std::int64_t written() const noexcept;  ///< rows that all of them together have touched, undone ones too

  /// Closing usually moves the WAL into the file; `true` leaves both as they are.
  void leave_wal(bool yes) noexcept;

  sqlite3* handle() const noexcept { return handle_.get(); }

private:
  struct closer {
    void operator()(sqlite3* handle) const noexcept;
  };
  std::unique_ptr<sqlite3, closer> handle_;
  std::array<statement_handle, 2> marks_; // by `mark`, when first needed
};

class query;

/// A prepared statement, compiled once and used again and again; must not outlive its database.
class statement {
public:
  statement(const database& db, std::string_view sql);

  /// Binds `values` to the parameters in order and starts; rows come from the query, one query at a time.
  template <class... Ts>
  query operator()(const Ts&... values);

  /// Runs to the end; for statements without rows.
  template <class... Ts>
  void run(const Ts&... values);

private:
  enum class lifetime { short_lived, until_reset };
  template <class T>
  void bind(int index, const T& value, lifetime lives);
  void bind_integer(int index, std::int64_t value);
  void bind_text(int index, std::string_view value, lifetime lives);

  statement_handle handle_;
};

/// The rows of a running statement. Its end resets the statement, so that no read lock outlives it.
class query {
public:
  explicit query(sqlite3_stmt* handle) noexcept : handle_{handle} {}
  ~query();
  query(const query&) = delete;
  query& operator=(const query&) = delete;

  bool next(); ///< to the next row; false at the end

  std::int64_t integer(int column) const noexcept;
  std::string text(int column) const;
  bool is_null(int column) const noexcept;

private:
  sqlite3_stmt* handle_;
};

/// A write transaction: undone unless committed. Takes the write lock at once: a lock taken later, by the first write,
/// would not wait for another writer but fail.
class transaction {
public:
  explicit transaction(database& db);
  ~transaction();
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  void commit(); ///< when it throws, nothing is kept; the destructor undoes
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
  (bind(++index, values, lifetime::short_lived), ...);
  return query{handle_.get()};
}

template <class... Ts>
void statement::run(const Ts&... values) {
  [[maybe_unused]] int index = 0;
  query rows{handle_.get()}; // its end unbinds what is not copied here
  (bind(++index, values, lifetime::until_reset), ...);
  while (rows.next()) {
  }
}

} // namespace mistify::store
