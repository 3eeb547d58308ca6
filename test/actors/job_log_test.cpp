#include "actor_fixture.hpp"

#include <sqlite3.h>

using namespace mistify;
using namespace mistify::test;
using rpc::errc;

namespace {

std::filesystem::path new_folder() {
  auto name = (std::filesystem::temp_directory_path() / "mistify-log-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  return name;
}

/// A log by itself, on a database that the test can spoil.
class log_fixture : public actor_fixture {
public:
  log_fixture() {
    store::journal_settings wanted;
    wanted.path = path();
    wanted.before_commit = [this] {
      ++commits_tried;
      if (disk_full)
        throw rpc::failure{errc::storage_failed, "database or disk is full"};
    };
    journal = std::make_shared<store::journal>(wanted, guests);
    settings.measure_free = [this] {
      ++measured_free;
      return free;
    };
  }
  ~log_fixture() {
    caf::anon_send_exit(log, caf::exit_reason::kill);
    run();
    log = nullptr;
    std::filesystem::remove_all(folder_);
  }

  void spawn() { log = track(system.spawn(actors::job_log, std::move(journal), &commits, &actor_registry, settings)); }

  std::shared_ptr<seen_reply<rpc::metadata_map>> patch() {
    return ask<rpc::metadata_map>(log, actors::patch_atom_v, rpc::metadata_patch{{"a", "b"}}, store::audit_ptr{});
  }
  std::shared_ptr<seen_reply<store::queued_job>> queue(const std::string& job, const std::string& action) {
    return ask<store::queued_job>(log, actors::queue_atom_v, store::new_job{job, "agent", action, "", "", ""},
                                  actors::stored_listener{});
  }

  std::string path() const { return (folder_ / "agent.db").string(); }

  store::guest_index guests;
  std::shared_ptr<store::journal> journal;
  actors::commit_metrics commits{measured};
  actors::job_log_settings settings;
  actors::job_log_actor log;
  bool disk_full = false;
  int commits_tried = 0, measured_free = 0;
  std::uint64_t free = 0;

private:
  std::filesystem::path folder_ = new_folder();
};

/// Another program that holds the write lock.
class write_lock {
public:
  explicit write_lock(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  ~write_lock() { sqlite3_close(db_); }
  write_lock(const write_lock&) = delete;
  write_lock& operator=(const write_lock&) = delete;

private:
  sqlite3* db_ = nullptr;
};

} // namespace

TEST_CASE_METHOD(log_fixture, "what the last stop left is written before anything else, and tried until it is") {
  int handed_over = 0;
  settings.recover = [](store::journal& in) {
    in.begin();
    in.patch_metadata({{"recovered", "yes"}});
    in.commit();
    return std::vector<store::unfinished_job>(2);
  };
  settings.recovered = [&](const std::vector<store::unfinished_job>& jobs) {
    handed_over += static_cast<int>(jobs.size());
  };
  disk_full = true;
  spawn();
  const auto first = ask<bool>(log, actors::restore_atom_v);
  REQUIRE(first->value);
  CHECK_FALSE(*first->value);
  CHECK(patch()->error->message() == "database or disk is full");
  CHECK(ask<bool>(log, actors::probe_atom_v)->error->code() == errc::storage_failed);
  CHECK(guests.metadata().empty());
  advance(5s);
  CHECK(handed_over == 0);
  disk_full = false;
  advance(1s);
  CHECK(handed_over == 2);
  CHECK(guests.metadata().contains("recovered"));
  CHECK(patch()->value->contains("a"));
  advance(10s);
  CHECK(handed_over == 2);
}

TEST_CASE_METHOD(log_fixture,
                 "what is not needed to serve is tried until it is written, while other writes are taken") {
  int tried = 0;
  bool written = false;
  settings.settle = [&](store::journal& in) {
    if (++tried < 3)
      throw rpc::failure{errc::storage_failed, "no room for it"};
    in.begin();
    in.note_boot("boot", {"g"});
    in.commit();
    written = true;
  };
  spawn();
  CHECK(*ask<bool>(log, actors::restore_atom_v)->value);
  CHECK(tried == 1);
  CHECK(patch()->value->contains("a"));
  advance(1s);
  CHECK(tried == 2);
  CHECK_FALSE(written);
  advance(1s);
  CHECK(written);
  advance(10s);
  CHECK(tried == 3);
}

TEST_CASE_METHOD(log_fixture, "one busy answer answers all that wait behind another program's lock") {
  const auto path_of_database = path();
  spawn();
  std::vector<std::shared_ptr<seen_reply<rpc::metadata_map>>> waiting;
  {
    const write_lock held{path_of_database};
    const auto begin = std::chrono::steady_clock::now();
    std::vector<rpc::failure> refused;
    for (int i = 0; i < 8; ++i)
      system.spawn([&](caf::event_based_actor* self) {
        self->request(log, caf::infinite, actors::patch_atom_v, rpc::metadata_patch{{"a", "b"}}, store::audit_ptr{})
          .then([](const rpc::metadata_map&) {},
                [&](const caf::error& e) { refused.push_back(actors::to_failure(e)); });
      });
    run();
    CHECK(std::chrono::steady_clock::now() - begin < 3s); // each alone takes one
    REQUIRE(refused.size() == 8);
    CHECK(refused.back().message() == "database is locked");
  }
  CHECK(patch()->value);
}

TEST_CASE_METHOD(log_fixture, "a job whose asker has given up is not queued") {
  spawn();
  store::new_job late{"late", "agent", "fetchImage", "", "", ""};
  late.expires = std::chrono::steady_clock::now() - 1s;
  CHECK(ask<store::queued_job>(log, actors::queue_atom_v, late, actors::stored_listener{})->error->code() ==
        errc::deadline_exceeded);
  late.expires = std::chrono::steady_clock::now() + 1h;
  CHECK(ask<store::queued_job>(log, actors::queue_atom_v, late, actors::stored_listener{})->value);
}

TEST_CASE_METHOD(log_fixture,
                 "on a disk that is nearly full new work is refused, what frees space and what runs goes on") {
  settings.least_free = [] { return std::uint64_t{1000}; };
  free = 1000;
  spawn();
  REQUIRE(queue("j", "fetchImage")->value);
  free = 999;
  advance(1s);
  const auto refused = queue("k", "fetchImage");
  REQUIRE(refused->error);
  CHECK(refused->error->code() == errc::insufficient_space);
  CHECK(refused->error->message().find("999 bytes free") != std::string::npos);
  CHECK(refused->error->message().find("1000") != std::string::npos);
  CHECK(patch()->error->code() == errc::insufficient_space);
  rpc::guest guest;
  guest.id = "g";
  CHECK(ask<store::queued_job>(log, actors::create_atom_v, guest, store::new_job{"c", "g", "create", "", "", "d"},
                               actors::stored_listener{})
          ->error->code() == errc::insufficient_space);
  for (const auto* action : {"start", "update", "attachDisk", "createSnapshot", "reboot", "containerStart"})
    CHECK(queue(action, action)->error->code() == errc::insufficient_space);
  for (const auto* action : {"deleteImage", "containerDeleteImage", "deleteSnapshot", "detachDisk",
                             "containerDetachNic", "shutdown", "containerShutdown", "poweroff", "containerPoweroff"})
    CHECK(queue(action, action)->value);
  const auto told = ask<store::reported_state>(log, actors::report_atom_v, std::string{"g"}, std::string{"shutoff"},
                                               std::string{}, std::string{}, store::audit_ptr{});
  CHECK(told->error->code() == errc::not_found); // which is the journal's answer
  const auto ends = actors::share({"j", store::guest_unchanged{}, store::job_ends{rpc::job_status::complete, ""}});
  CHECK(ask<store::recorded_step>(log, actors::record_atom_v, ends)->value);
  free = 1001;
  advance(1s);
  CHECK(patch()->value);
}

TEST_CASE_METHOD(log_fixture, "the free space is measured once a second at most") {
  settings.least_free = [] { return std::uint64_t{1}; };
  free = 100;
  spawn();
  for (int i = 0; i < 20; ++i)
    CHECK(patch()->value);
  CHECK(measured_free == 1);
  advance(1s);
  CHECK(patch()->value);
  CHECK(measured_free == 2);
}

TEST_CASE_METHOD(log_fixture, "a database that was removed is told by the probe at once") {
  spawn();
  CHECK(ask<bool>(log, actors::probe_atom_v)->value);
  std::filesystem::remove(path());
  const auto told = ask<bool>(log, actors::probe_atom_v);
  REQUIRE(told->error);
  CHECK(told->error->message().find("was removed") != std::string::npos);
}

TEST_CASE_METHOD(log_fixture, "who listens for a stored job hears of it behind the reply") {
  spawn();
  std::vector<std::string> came;
  track(system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    const caf::actor me{self};
    const actors::stored_listener listener = [me](const store::queued_job& job) { caf::anon_send(me, job.job.id); };
    self
      ->request(log, caf::infinite, actors::queue_atom_v, store::new_job{"j", "agent", "fetchImage", "", "", ""},
                listener)
      .then([&](const store::queued_job&) { came.emplace_back("reply"); });
    return {[&](const std::string& id) { came.push_back("listener: " + id); }};
  }));
  run();
  CHECK(came == std::vector<std::string>{"reply", "listener: j"});
}

TEST_CASE_METHOD(log_fixture, "who listens for a stored job hears nothing of one that is not") {
  disk_full = true;
  spawn();
  int heard = 0;
  const actors::stored_listener listener = [&](const store::queued_job&) { ++heard; };
  const auto full =
    ask<store::queued_job>(log, actors::queue_atom_v, store::new_job{"j", "agent", "fetchImage", "", "", ""}, listener);
  CHECK(full->error->code() == errc::storage_failed);
  disk_full = false;
  const auto unknown =
    ask<store::queued_job>(log, actors::queue_atom_v, store::new_job{"j", "g", "reboot", "", "", ""}, listener);
  CHECK(unknown->error->code() == errc::not_found);
  CHECK(heard == 0);
}

TEST_CASE_METHOD(log_fixture, "the audit's entry of a report is in the commit of what it changes, and else nowhere") {
  spawn();
  rpc::guest guest;
  guest.id = "g";
  guest.state = "create";
  ask<store::queued_job>(log, actors::create_atom_v, guest, store::new_job{"c", "g", "create", "", "", "d"},
                         actors::stored_listener{});
  const auto ends = ask<store::recorded_step>(
    log, actors::record_atom_v,
    actors::share({"c", store::guest_state{"running", ""}, store::job_ends{rpc::job_status::complete, ""}}));
  REQUIRE(ends->value);
  store::audit_entry entry;
  entry.action = "report";
  const auto audit = std::make_shared<const store::audit_entry>(entry);
  const auto report = [&](const std::string& state) {
    return ask<store::reported_state>(log, actors::report_atom_v, std::string{"g"}, state, std::string{}, std::string{},
                                      audit);
  };
  const auto entries = [&] { return store::job_reader{path()}.audited({}, 10).size(); };
  const auto before = commits_tried;
  CHECK(report("running")->value->before.empty());
  CHECK(entries() == 0);
  CHECK(report("paused")->value->before == "running");
  CHECK(entries() == 1);
  CHECK(commits_tried == before + 2);
}
