#include "commits.hpp"

#include <thread>

namespace mistify::bench {

namespace {

store::database open(const std::string& file) {
  store::database db{file, store::database::access::read_write};
  db.execute("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY");
  db.text("PRAGMA journal_mode = WAL");
  db.execute("PRAGMA journal_size_limit = 67108864");
  db.execute("CREATE TABLE IF NOT EXISTS jobs (seq INTEGER PRIMARY KEY, message TEXT NOT NULL) STRICT");
  return db;
}

} // namespace

single_rows::single_rows(const std::string& file)
  : db_{open(file)}, insert_{db_, "INSERT INTO jobs (message) VALUES (?)"} {}

void single_rows::commit_one() {
  static const std::string row(200, 'x'); // about what a job has
  insert_.run(row);                       // outside of a transaction: commits by itself
}

double commits_per_second(const std::string& folder, std::chrono::milliseconds length,
                          std::chrono::milliseconds longer) {
  using clock = std::chrono::steady_clock;
  single_rows rows{folder + "/commits.db"};
  std::size_t count = 0;
  const auto begin = clock::now();
  for (; clock::now() < begin + length; ++count) {
    rows.commit_one();
    if (longer.count() > 0)
      std::this_thread::sleep_for(longer);
  }
  return static_cast<double>(count) / std::chrono::duration<double>{clock::now() - begin}.count();
}

} // namespace mistify::bench
