#pragma once

#include "test/store/fixture.hpp"

#include "store/legacy/legacy_import.hpp"

namespace mistify::store {

/// A database written like the original agent's. Values are BLOBs, as its driver binds Go's byte slices.
class legacy_database {
public:
  explicit legacy_database(const std::string& path) : db_{path, database::access::read_write} {
    db_.execute("PRAGMA synchronous = OFF;"
                "CREATE TABLE IF NOT EXISTS mistify_agent (key text, bucket text, value blob);"
                "CREATE UNIQUE INDEX IF NOT EXISTS mistify_agent_idx ON mistify_agent (key, bucket)");
  }

  legacy_database& put(std::string_view bucket, std::string_view key, std::string_view value) {
    statement{db_, "INSERT OR REPLACE INTO mistify_agent (key, bucket, value) VALUES (?, ?, CAST(? AS BLOB))"}.run(
      key, bucket, value);
    return *this;
  }

  database& db() { return db_; }

private:
  database db_;
};

inline std::string legacy_job(const std::string& id, const std::string& guest, const std::string& status,
                              const std::string& queued_at = "2016-03-01T10:00:00Z") {
  return R"({"ID":")" + id + R"(","GuestID":")" + guest + R"(","Action":"reboot","QueuedAt":")" + queued_at +
         R"(","StartedAt":"0001-01-01T00:00:00Z","UpdatedAt":")" + queued_at + R"(","Status":")" + status +
         R"(","Message":""})";
}

inline const std::string first_id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
inline const std::string second_id = "6BA7B811-9dad-11d1-80b4-00c04fd430c8";

inline std::string legacy_guest(const std::string& id, const std::string& more = "") {
  return R"({"id":")" + id + R"(","type":"vm","state":"running")" + more + '}';
}

/// A folder with a database of the original, and settings for a new one.
struct legacy_fixture {
  legacy_fixture() {
    settings.path = folder / "agent.db";
    settings.now = [] { return at_second(2'000'000'000); };
    settings.warn = [this](std::string_view message) { log.emplace_back(message); };
  }

  /// Two guests, metadata and a job log.
  void fill(const std::string& path) const {
    legacy_database old{path};
    old.put("guests", first_id, legacy_guest(first_id, R"(,"cpu":2)"))
      .put("guests", second_id, legacy_guest(second_id));
    old.put("hypervisor-metadata", "rack", "b7");
    old.put("guest_jobs", "",
            '[' + legacy_job("j1", first_id, "Complete") + ',' + legacy_job("j2", second_id, "Error") + ']');
  }

  /// Starts like the agent: imports, then opens a journal.
  void start(const std::string& import_from = {}) {
    take_over_legacy(import_from, settings);
    published = std::make_unique<guest_index>();
    journal{settings, *published};
  }

  std::vector<rpc::job> jobs() const { return job_reader{settings.path}.latest(100'000); }

  ids job_ids() const {
    ids result;
    for (const auto& job : jobs())
      result.push_back(job.id);
    return result;
  }

  std::string doc(const std::string& id) const {
    auto guest = published->find(id);
    return guest ? guest->doc : std::string{};
  }

  bool told(std::string_view part) const {
    return std::any_of(log.begin(), log.end(), [&](const auto& line) { return line.find(part) != std::string::npos; });
  }

  temp_folder folder;
  std::string original = folder / "old.db";
  journal_settings settings;
  std::vector<std::string> log;
  std::unique_ptr<guest_index> published;
};

} // namespace mistify::store
