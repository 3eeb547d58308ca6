#include "test/store/fixture.hpp"

using namespace mistify;
using namespace mistify::store;

namespace {

struct table {
  table() { db.execute("CREATE TABLE t (n INTEGER, s TEXT) STRICT"); }
  std::int64_t count() { return db.integer("SELECT count(*) FROM t"); }

  temp_folder folder;
  database db{folder / "t.db", database::access::read_write};
};

} // namespace

TEST_CASE("a statement can be run again and again, with texts of any bytes") {
  table t;
  statement put{t.db, "INSERT INTO t VALUES (?, ?)"};
  std::string zeros{"a\0b", 3};
  put.run(1, zeros);
  put.run(2, std::string_view{});
  statement get{t.db, "SELECT s, n FROM t WHERE n = ?"};
  for (auto n : {1, 2, 1}) {
    auto row = get(n);
    REQUIRE(row.next());
    CHECK(row.text(0) == (n == 1 ? zeros : ""));
    CHECK_FALSE(row.is_null(0));
    CHECK(row.integer(1) == n);
    CHECK_FALSE(row.next());
  }
}

TEST_CASE("a transaction that is not committed leaves nothing") {
  table t;
  {
    transaction lost{t.db};
    t.db.execute("INSERT INTO t VALUES (1, 'x')");
  }
  CHECK(t.count() == 0);
  transaction kept{t.db};
  t.db.execute("INSERT INTO t VALUES (1, 'x')");
  kept.commit();
  CHECK(t.count() == 1);
}

TEST_CASE("an error of SQLite is storage_failed with its reason") {
  table t;
  auto error = failure_of([&] { t.db.execute("INSERT INTO t VALUES ('no number', 'x')"); });
  CHECK(error.code() == rpc::errc::storage_failed);
  CHECK(error.message() == "cannot store TEXT value in INTEGER column t.n");
  CHECK(failure_of([&] { statement{t.db, "SELEC"}.run(); }).code() == rpc::errc::storage_failed);
}

TEST_CASE("a connection for reading writes nothing") {
  table t;
  database reader{t.folder / "t.db", database::access::read_only};
  CHECK(failure_of([&] { reader.execute("DELETE FROM t"); }).message() == "attempt to write a readonly database");
  CHECK(failure_of([&] {
          database{t.folder / "none.db", database::access::read_only};
        }).code() == rpc::errc::storage_failed);
}
