#pragma once

#include "store/job_reader.hpp"
#include "store/journal.hpp"
#include "store/sqlite.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace mistify::store {

/// A temporary folder, removed after the test.
class temp_folder {
public:
  temp_folder() {
    static std::atomic<int> last{0};
    auto name = "mistify-store-" + std::to_string(getpid()) + '-' + std::to_string(++last);
    path_ = std::filesystem::temp_directory_path() / name;
    std::filesystem::create_directories(path_);
  }
  ~temp_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temp_folder(const temp_folder&) = delete;
  temp_folder& operator=(const temp_folder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{path_})
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream{path, std::ios::binary} << bytes;
}

/// Returns the failure that `work` throws; fails the test if it throws none.
template <class F>
rpc::failure failure_of(F&& work) {
  try {
    work();
  } catch (const rpc::failure& error) {
    return error;
  }
  FAIL("nothing was thrown");
  return {rpc::errc::none, ""};
}

/// What the first start makes of a stored guest that is off and has no wish yet.
inline std::string with_wish_off(std::string doc) {
  return doc.insert(doc.size() - 1, R"(,"wanted":"off")");
}

inline rpc::timestamp at_second(std::int64_t second) {
  return rpc::timestamp{std::chrono::seconds{second}};
}

/// A journal on a file of its own. Its clock advances one second with each reading.
struct journal_fixture {
  journal_fixture() { open(); }

  journal_settings settings() {
    journal_settings s;
    s.path = path;
    s.keep_jobs = keep_jobs;
    s.keep_for = keep_for;
    s.most_jobs = most_jobs;
    s.steady = [this] { return std::chrono::steady_clock::time_point{uptime}; };
    s.keep_events = keep_events;
    s.max_bytes = max_bytes;
    s.events = &feed;
    s.host = &board;
    s.limits = [this] { return limits; };
    s.now = [this] { return at_second(++clock); };
    s.warn = [this](std::string_view message) { warnings.emplace_back(message); };
    s.before_commit = [this] {
      if (at_commit)
        at_commit();
      if (std::exchange(fail_commit, false))
        throw rpc::failure{rpc::errc::storage_failed, "injected"};
    };
    return s;
  }

  void open() {
    published = std::make_unique<guest_index>();
    log = std::make_unique<journal>(settings(), *published);
  }

  void reopen() {
    log.reset();
    open();
  }

  /// Simulates the death of the process: the current file content becomes the file of a new journal.
  void crash() {
    auto copy = folder / ("after-crash-" + std::to_string(clock) + ".db");
    std::filesystem::copy_file(path, copy);
    std::filesystem::copy_file(path + "-wal", copy + "-wal");
    log.reset();
    path = copy;
    open();
  }

  /// Runs `work` in a batch.
  template <class F>
  auto batch(F&& work) {
    log->begin();
    try {
      auto result = work();
      log->commit();
      return result;
    } catch (...) {
      if (log->in_batch())
        log->rollback();
      throw;
    }
  }

  queued_job add_guest(const std::string& id, const std::string& job = {}, const std::string& digest = "digest",
                       rpc::metadata_map metadata = {}) {
    rpc::guest guest;
    guest.id = id;
    guest.state = "create";
    guest.metadata = std::move(metadata);
    return batch([&] {
      return log->add_guest(guest, {job.empty() ? "create-" + id : job, id, "create", "", "", digest});
    });
  }

  queued_job add_job(const std::string& job, const std::string& guest, const std::string& action = "reboot") {
    return batch([&] { return log->add_job({job, guest, action, "", "", ""}); });
  }

  recorded_step record(job_step step) {
    return batch([&] { return log->record(step); });
  }

  recorded_step start(const std::string& job, std::size_t stage = 0) {
    return record({job, guest_unchanged{}, stage_starts{stage, "Svc.Method"}});
  }

  recorded_step complete(const std::string& job, guest_change change = guest_unchanged{}) {
    return record({job, std::move(change), job_ends{rpc::job_status::complete, ""}});
  }

  std::string doc(const std::string& id) {
    auto guest = published->find(id);
    return guest ? guest->doc : std::string{};
  }

  std::vector<std::string> unfinished_ids() {
    std::vector<std::string> ids;
    for (const auto& left : log->unfinished())
      ids.push_back(left.job.id);
    return ids;
  }

  std::vector<std::string> logged_ids() {
    std::vector<std::string> ids;
    for (const auto& job : job_reader{path}.latest(1000))
      ids.push_back(job.id);
    return ids;
  }

  rpc::job job(const std::string& id) {
    auto found = job_reader{path}.find(id);
    REQUIRE(found);
    return *found;
  }

  temp_folder folder;
  std::string path = folder / "agent.db";
  std::size_t keep_jobs = 1000, keep_events = 10000, max_bytes = 0;
  std::chrono::seconds keep_for{0};
  std::size_t most_jobs = 100'000;
  std::chrono::seconds uptime{0}; ///< of the steady clock
  event_feed feed;
  host_board board;
  std::optional<host_limits> limits; ///< of admission
  std::int64_t clock = 0;
  bool fail_commit = false;
  std::function<void()> at_commit; ///< called before each commit
  std::vector<std::string> warnings;
  std::unique_ptr<guest_index> published;
  std::unique_ptr<journal> log;
};

using ids = std::vector<std::string>;

} // namespace mistify::store
