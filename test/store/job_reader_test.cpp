#include "test/store/fixture.hpp"

#include "rpc/model/codec.hpp"

#include <array>
#include <thread>

using namespace mistify;
using namespace mistify::store;

namespace {

ids ids_of(const std::vector<rpc::job>& jobs) {
  ids result;
  for (const auto& job : jobs)
    result.push_back(job.id);
  return result;
}

} // namespace

TEST_CASE("jobs are read newest first, all or of one guest, up to a limit") {
  journal_fixture f;
  f.add_guest("g", "1");
  f.add_guest("h", "2");
  f.add_job("3", "g");
  job_reader reader{f.path};
  CHECK(ids_of(reader.latest(10)) == ids{"3", "2", "1"});
  CHECK(ids_of(reader.latest(2)) == ids{"3", "2"});
  CHECK(ids_of(reader.latest_of("g", 10)) == ids{"3", "1"});
  CHECK(ids_of(reader.latest_of("g", 1)) == ids{"3"});
  CHECK(reader.latest(0).empty());
  CHECK(reader.latest_of("nobody", 10).empty());
  CHECK_FALSE(reader.find("none"));
  REQUIRE(reader.find("3"));
  CHECK(reader.find("3")->guest_id == "g");
}

TEST_CASE("a reader sees what is committed while a batch is open") {
  journal_fixture f;
  f.add_guest("g", "1");
  job_reader reader{f.path};
  f.log->begin();
  f.log->record({"1", guest_unchanged{}, job_ends{}});
  f.log->add_job({"2", "g", "reboot", "", "", ""});
  CHECK(reader.find("1")->status == rpc::job_status::queued);
  CHECK_FALSE(reader.find("2"));
  f.log->commit();
  CHECK(reader.find("1")->status == rpc::job_status::complete);
  CHECK(reader.find("2"));
}

TEST_CASE("times are kept to the nanosecond") {
  journal_fixture f;
  f.log.reset();
  auto settings = f.settings();
  settings.now = [] { return rpc::timestamp{std::chrono::nanoseconds{1'700'000'000'123'456'789}}; };
  f.log = std::make_unique<journal>(settings, *f.published);
  f.add_guest("g", "j");
  CHECK(f.job("j").queued_at == settings.now());
}

TEST_CASE("a reader needs a database of this schema") {
  temp_folder folder;
  auto reason = [&](const std::string& name) { return failure_of([&] { job_reader{folder / name}; }); };
  CHECK(reason("none.db").code() == rpc::errc::storage_failed);
  CHECK(reason("none.db").message().starts_with("database " + (folder / "none.db")));
  write_file(folder / "text.db", "hello");
  CHECK(reason("text.db").message().ends_with("file is not a database"));
  CHECK(folder.files() == ids{"text.db"});
}

TEST_CASE("more threads than connections may read while the writer writes") {
  journal_fixture f;
  f.add_guest("g", "first");
  job_reader reader{f.path, 2};
  std::atomic<int> misses{0};
  std::array<std::thread, 6> threads;
  for (auto& thread : threads)
    thread = std::thread{[&] {
      for (int i = 0; i < 100; ++i)
        if (!reader.find("first") || reader.latest_of("g", 5).empty())
          ++misses;
    }};
  for (int i = 0; i < 50; ++i)
    f.add_job(std::to_string(i), "g");
  for (auto& thread : threads)
    thread.join();
  CHECK(misses == 0);
  CHECK(reader.latest(1000).size() == 51);
}
