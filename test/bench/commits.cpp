#include "commits.hpp"

#include <array>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

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

asked_rows::asked_rows(const std::string& file) : rows_{file} {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::runtime_error{"no pair of sockets"};
  client_ = rpc::unique_fd{ends[0]};
  server_ = rpc::unique_fd{ends[1]};
  thread_ = std::thread{[this] { serve(); }};
}

asked_rows::~asked_rows() {
  ::shutdown(client_.get(), SHUT_RDWR);
  thread_.join();
}

void asked_rows::serve() {
  std::array<char, 1> request{};
  while (::read(server_.get(), request.data(), 1) == 1) {
    rows_.commit_one();
    if (::write(server_.get(), request.data(), 1) != 1)
      return;
  }
}

void asked_rows::ask_for_one() {
  std::array<char, 1> one{};
  if (::write(client_.get(), one.data(), 1) != 1 || ::read(client_.get(), one.data(), 1) != 1)
    throw std::runtime_error{"a commit that was asked for did not come"};
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
