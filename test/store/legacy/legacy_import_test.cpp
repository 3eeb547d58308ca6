#include "test/store/legacy_fixture.hpp"

#include "rpc/model/codec.hpp"

using namespace mistify;
using namespace mistify::store;

TEST_CASE("the original's database at the agent's own path is taken over, and a copy stays") {
  legacy_fixture f;
  f.fill(f.settings.path);
  auto bytes = read_file(f.settings.path);
  CHECK(is_legacy_database(f.settings.path));
  f.start();
  CHECK(f.folder.files() == ids{"agent.db", "agent.db-shm", "agent.db-wal", "agent.db.original"});
  CHECK(read_file(f.folder / "agent.db.original") == bytes);
  CHECK_FALSE(is_legacy_database(f.settings.path));
  CHECK(f.doc(first_id) == legacy_guest(first_id, R"(,"wanted":"on","cpu":2)"));
  CHECK(f.doc(second_id) == legacy_guest(second_id, R"(,"wanted":"on")")); // its id as it was
  CHECK(f.published->metadata() == rpc::metadata_map{{"rack", "b7"}});
  CHECK(f.job_ids() == ids{"j2", "j1"});
  CHECK(f.log == ids{"took over the original agent's database " + f.settings.path +
                     ": 2 guests, 1 metadata keys, 2 jobs (0 had not ended and are errors now, 0 older ones left out), "
                     "0 broken rows set aside; the original is kept as " +
                     (f.folder / "agent.db.original")});
}

TEST_CASE("the next start finds the agent's own database") {
  legacy_fixture f;
  f.fill(f.settings.path);
  f.start();
  f.log.clear();
  f.start();
  CHECK(f.log.empty());
  CHECK(f.published->size() == 2);
  CHECK(f.folder.files() == ids{"agent.db", "agent.db-shm", "agent.db-wal", "agent.db.original"});
}

TEST_CASE("a named database of the original begins a new one, and is left alone") {
  legacy_fixture f;
  f.fill(f.original);
  f.settings.path = f.folder / "lib/agent.db";
  if (GENERATE(true, false)) {
    std::filesystem::create_directory(f.folder / "lib");
    write_file(f.settings.path, ""); // an empty file is none yet
  }
  auto bytes = read_file(f.original);
  f.start(f.original);
  CHECK(f.published->size() == 2);
  CHECK(f.job_ids() == ids{"j2", "j1"});
  CHECK(read_file(f.original) == bytes);
  CHECK(read_file(f.folder / "lib/agent.db.original") == bytes);
  CHECK(f.folder.files() == ids{"lib", "old.db"});

  f.log.clear();
  f.start(f.original);
  CHECK(f.log ==
        ids{"nothing is imported from " + f.original + ": there is a database at " + f.settings.path + " already"});
  CHECK(f.published->size() == 2);
}

TEST_CASE("the original's database at the agent's own path goes before the named one") {
  legacy_fixture f;
  f.fill(f.settings.path);
  legacy_database{f.original}.put("guests", "other", legacy_guest("other"));
  f.start(f.original);
  CHECK(f.published->size() == 2);
  CHECK(f.log.size() == 2);
}

TEST_CASE("a copy of the original never takes the place of another file") {
  legacy_fixture f;
  f.fill(f.settings.path);
  auto bytes = read_file(f.settings.path);
  write_file(f.settings.path + ".original", "precious");
  write_file(f.settings.path + ".original.1", std::string(bytes.size(), 'x'));
  SECTION("but the next name") {
    CHECK(import_legacy(f.settings.path, f.settings).copy == f.settings.path + ".original.2");
    CHECK(read_file(f.settings.path + ".original.2") == bytes);
  }
  SECTION("unless it is the same copy") {
    write_file(f.settings.path + ".original.1", bytes);
    CHECK(import_legacy(f.settings.path, f.settings).copy == f.settings.path + ".original.1");
    CHECK_FALSE(std::filesystem::exists(f.settings.path + ".original.2"));
  }
  CHECK(read_file(f.settings.path + ".original") == "precious");
}

TEST_CASE("the new database is for the same eyes as the original") {
  legacy_fixture f;
  f.fill(f.settings.path);
  namespace fs = std::filesystem;
  fs::permissions(f.settings.path, fs::perms::owner_read | fs::perms::owner_write);
  f.start();
  for (const auto& file : f.folder.files())
    CHECK(fs::status(f.folder / file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("fields of a guest that the agent does not know come over, numbers to the letter") {
  legacy_fixture f;
  const auto guest = [](const std::string& wish) {
    return R"({"id":")" + first_id + R"(","nics":[{"network":"n","model":"m","address":"","netmask":"",)" +
           R"("gateway":"","vlans":null,"queue":1.50}])" + wish + R"(,"metadata":{"a":"é"},"weight":1e400})";
  };
  legacy_database{f.settings.path}.put("guests", first_id, guest(""));
  f.start();
  CHECK(f.doc(first_id) == guest(R"(,"wanted":"off")"));
}

TEST_CASE("jobs come over with every field") {
  legacy_fixture f;
  legacy_database{f.settings.path}.put(
    "guest_jobs", "",
    R"([{"ID":"j","GuestID":"agent","Action":"fetchImage",)"
    R"("QueuedAt":"2016-03-01T10:00:00.123456789Z",)"
    R"("StartedAt":"2016-03-01T12:00:01.000000001+02:00",)"
    R"("UpdatedAt":"2016-03-01T10:00:02.5Z","Status":"Error","Message":"no \"é\""}])");
  f.start();
  REQUIRE(f.jobs().size() == 1);
  CHECK(rpc::encode(f.jobs().front()) ==
        R"({"ID":"j","GuestID":"agent","Action":"fetchImage","QueuedAt":"2016-03-01T10:00:00.123456789Z",)"
        R"("StartedAt":"2016-03-01T10:00:01.000000001Z","UpdatedAt":"2016-03-01T10:00:02.5Z","Status":"Error",)"
        R"("Message":"no \"é\"","Code":"failed","Retryable":false,"RequestID":"","User":""})");
}

TEST_CASE("jobs that had not ended end as errors, and so do the guests they were to create") {
  legacy_fixture f;
  auto create = legacy_job("create", first_id, "Running");
  create.replace(create.find("reboot"), 6, "create");
  auto creating = legacy_guest(first_id);
  creating.replace(creating.find("running"), 7, "create");
  legacy_database{f.settings.path}
    .put("guests", first_id, creating)
    .put("guests", second_id, legacy_guest(second_id))
    .put("guest_jobs", "", '[' + create + ',' + legacy_job("reboot", second_id, "Queued") + ']');
  CHECK(import_legacy(f.settings.path, f.settings).interrupted == 2);
  f.start();
  REQUIRE(f.jobs().size() == 2);
  for (const auto& job : f.jobs()) {
    CHECK(job.status == rpc::job_status::error);
    CHECK(job.message == "interrupted by the upgrade of the agent");
    CHECK(job.updated_at == at_second(2'000'000'000));
    CHECK(rpc::encode(job.queued_at) == "2016-03-01T10:00:00Z");
  }
  CHECK(rpc::decode_guest(f.doc(first_id)).state == "error");
  CHECK(rpc::decode_guest(f.doc(second_id)).state == "running");
}

TEST_CASE("the oldest jobs beyond the bound are left out") {
  legacy_fixture f;
  f.settings.keep_jobs = 3;
  std::string log = "[";
  for (int i = 0; i < 10; ++i)
    log += (i > 0 ? "," : "") + legacy_job("j" + std::to_string(i), first_id, i == 8 ? "Queued" : "Complete");
  legacy_database{f.settings.path}.put("guest_jobs", "", log + ']');
  auto report = import_legacy(f.settings.path, f.settings);
  CHECK(report.jobs == 3);
  CHECK(report.pruned == 7);
  CHECK(f.job_ids() == ids{"j9", "j8", "j7"});
}

TEST_CASE("the older form of the log, newest first for each guest, comes in the order of time") {
  legacy_fixture f;
  auto job = [](const std::string& id, int minute) {
    auto at = "2015-06-01T10:0" + std::to_string(minute) + ":00Z";
    return R"({"ID":")" + id + R"(","Action":"start","QueuedAt":")" + at + R"(","StartedAt":")" + at +
           R"(","UpdatedAt":")" + at + R"(","Status":"Complete","Message":""})";
  };
  legacy_database old{f.settings.path};
  old.put("guest_jobs", first_id, '[' + job("a3", 5) + ',' + job("a2", 3) + ',' + job("a1", 1) + ']');
  old.put("guest_jobs", second_id, '[' + job("b2", 4) + ',' + job("b1", 2) + ']');
  SECTION("alone") {
    f.start();
    CHECK(f.job_ids() == ids{"a3", "b2", "a2", "b1", "a1"});
    CHECK(f.jobs()[0].guest_id == first_id);
    CHECK(f.jobs()[1].guest_id == second_id);
  }
  SECTION("behind the newer forms, whose jobs of the same ids win") {
    old.put("guest_jobs", "", '[' + legacy_job("a1", "agent", "Complete", "2015-06-01T10:06:00Z") + ']');
    old.put("joblog", "jobs", '[' + legacy_job("c", "agent", "Complete", "2015-06-01T10:00:00Z") + ']');
    f.start();
    CHECK(f.job_ids() == ids{"a1", "a3", "b2", "a2", "b1", "c"});
    CHECK(f.told("guest_jobs '" + first_id + "[2]': ID: is that of another job"));
  }
}

TEST_CASE("one log alone stays in its order, whatever its clock said") {
  legacy_fixture f;
  legacy_database{f.settings.path}.put("guest_jobs", "",
                                       '[' + legacy_job("late", "g", "Complete", "2016-03-02T10:00:00Z") + ',' +
                                         legacy_job("early", "g", "Complete", "2016-03-01T10:00:00Z") + ']');
  f.start();
  CHECK(f.job_ids() == ids{"early", "late"});
}

TEST_CASE("broken rows are skipped, told of and kept, and everything else comes over") {
  legacy_fixture f;
  f.fill(f.settings.path);
  legacy_database{f.settings.path}
    .put("guests", "torn", R"({"id":"torn","me)")
    .put("guests", "wrong", R"({"id":"wrong","memory":-1})")
    .put("guests", "other", legacy_guest("another"))
    .put("guests", "", legacy_guest(""))
    .put("hypervisor-metadata", "bytes", "\xff\xfe")
    .put("joblog", "jobs", R"({"not":"an array"})")
    .put("guest_jobs", "",
         "[" + legacy_job("good", "g", "Complete") + "," + legacy_job("good", "g", "Error") + "," +
           legacy_job("odd", "g", "Sleeping") + "," + legacy_job("time", "g", "Complete", "yesterday") + "," +
           legacy_job("", "g", "Complete") + R"(,7,{"ID":5}])");
  auto report = import_legacy(f.settings.path, f.settings);
  CHECK(report.guests == 2);
  CHECK(report.metadata == 1);
  CHECK(report.jobs == 1);
  CHECK(report.broken == 12);
  CHECK(f.log.size() == 13);
  CHECK(f.told("guests 'other': id: is 'another'"));
  CHECK(f.told("guests 'wrong': memory: "));
  CHECK(f.told("hypervisor-metadata 'bytes': is no UTF-8"));
  CHECK(f.told("guest_jobs '[1]': ID: is that of another job"));
  CHECK(f.told("guest_jobs '[2]': Status: is none"));
  CHECK(f.told("guest_jobs '[3]': QueuedAt: is no time"));
  CHECK(f.told("guest_jobs '[4]': ID: is missing"));
  CHECK(f.told("guest_jobs '[5]': must be an object"));
  CHECK(f.told("joblog 'jobs': jobs: "));

  f.start();
  CHECK(f.published->size() == 2);
  database now{f.settings.path, database::access::read_only};
  CHECK(now.integer("SELECT count(*) FROM broken_rows WHERE at > 0 AND reason <> ''") == 12);
  CHECK(now.text("SELECT value FROM broken_rows WHERE key = 'torn'") == R"({"id":"torn","me)");
  CHECK(now.text("SELECT value FROM broken_rows WHERE key = 'bytes'") == "\xff\xfe");
}

TEST_CASE("a log that is no JSON costs the log only") {
  legacy_fixture f;
  f.fill(f.settings.path);
  legacy_database{f.settings.path}.put("guest_jobs", "", "[{");
  f.start();
  CHECK(f.published->size() == 2);
  CHECK(f.job_ids().empty());
  CHECK(f.told("set aside a broken row of the original's guest_jobs '': "));
}

TEST_CASE("ids that are no UUID and buckets of other use are remarked on") {
  legacy_fixture f;
  legacy_database{f.settings.path}
    .put("guests", "web-1", legacy_guest("web-1"))
    .put("bookmarks", "a", "1")
    .put("bookmarks", "b", "2")
    .put("joblog", "elsewhere", "[]");
  f.start();
  CHECK(f.published->find("web-1"));
  CHECK(f.told("the id of guest 'web-1' is no UUID"));
  CHECK(f.told("left out 2 rows of 'bookmarks'"));
  CHECK(f.told("left out 1 rows of 'joblog'"));
  CHECK(f.log.size() == 4);
}

TEST_CASE("an imported guest's id is taken, and its jobs run as any other's") {
  legacy_fixture f;
  f.fill(f.settings.path);
  f.start();
  guest_index guests;
  journal log{f.settings, guests};
  rpc::guest same;
  same.id = first_id;
  log.begin();
  CHECK(failure_of([&] { log.add_guest(same, {"c", first_id, "create", "", "", "d"}); }).code() == rpc::errc::conflict);
  log.add_job({"j3", first_id, "reboot", "", "", ""});
  log.commit();
  CHECK(f.job_ids() == ids{"j3", "j2", "j1"});
}

TEST_CASE("an imported guest is the same one in the other spelling of its id") {
  legacy_fixture f;
  f.fill(f.settings.path);
  f.start();
  journal log{f.settings, *f.published};
  const auto create = [&](const std::string& id) {
    rpc::guest guest;
    guest.id = id;
    log.begin();
    try {
      log.add_guest(guest, {"j-" + id, id, "create", "", "", "d"});
    } catch (...) {
      log.rollback();
      throw;
    }
    log.commit();
  };
  const auto lower = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";
  const auto refused = failure_of([&] { create(lower); });
  CHECK(refused.code() == rpc::errc::conflict);
  CHECK(refused.message() == "guest ID exists already, as " + second_id);
  log.begin();
  log.add_job({"delete", second_id, "delete", "", "", ""});
  log.record({"delete", guest_removed{}, job_ends{}});
  log.commit();
  create(lower);
  CHECK(f.published->find(lower));
}
