#include "commits.hpp"

#include "store/sqlite.hpp"

namespace mistify::bench {

double commits_per_second(const std::string& folder, std::chrono::milliseconds length) {
  using clock = std::chrono::steady_clock;
  store::database db{folder + "/commits.db", store::database::access::read_write};
  db.execute("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY");
  db.text("PRAGMA journal_mode = WAL");
  db.execute("PRAGMA journal_size_limit = 67108864");
  db.execute("CREATE TABLE IF NOT EXISTS jobs (seq INTEGER PRIMARY KEY, message TEXT NOT NULL) STRICT");
  const std::string row(200, 'x'); // about what a job has
  store::statement insert{db, "INSERT INTO jobs (message) VALUES (?)"};
  std::size_t count = 0;
  const auto begin = clock::now();
  for (; clock::now() < begin + length; ++count)
    insert.run(row); // outside of a transaction: commits by itself
  return static_cast<double>(count) / std::chrono::duration<double>{clock::now() - begin}.count();
}

} // namespace mistify::bench
