#include "test/store/fixture.hpp"

using namespace mistify;
using namespace mistify::store;

TEST_CASE("each key of a job that answers several requests is kept") {
  journal_fixture f;
  f.add_guest("g", "c");
  const auto ask = [&](const std::string& key, const std::string& digest) {
    return f.batch([&] { return f.log->add_job({"job-" + key, "g", "delete", "", key, digest}); });
  };
  ask("first", "d");
  CHECK(ask("second", "d").job.id == "job-first");
  CHECK(failure_of([&] { ask("second", "another"); }).code() == rpc::errc::conflict);
  f.complete("job-first", guest_removed{});
  for (const auto* key : {"first", "second"}) {
    CHECK(ask(key, "d").job.id == "job-first");
    CHECK(failure_of([&] { ask(key, "another"); }).code() == rpc::errc::conflict);
  }
}

TEST_CASE("a job answers at most so many keys, and a refused one leaves nothing") {
  journal_fixture f;
  f.add_guest("g", "c");
  const auto ask = [&](int key) {
    new_job wanted{"d" + std::to_string(key), "g", "delete", R"({"force":true})", std::to_string(key), "d"};
    wanted.raises = wanted.preempts = key > 99;
    return f.batch([&] { return f.log->add_job(wanted); });
  };
  for (int key = 0; key < 100; ++key)
    CHECK(ask(key).job.id == "d0");
  CHECK(failure_of([&] { ask(100); }).code() == rpc::errc::queue_full);
  CHECK(f.unfinished_ids() == ids{"c", "d0"}); // not preempted
  CHECK(ask(99).job.id == "d0");
}
