#include "test/store/fixture.hpp"

#include "rpc/model/codec.hpp"

using namespace mistify;
using namespace mistify::store;
using rpc::errc;

namespace {

/// A journal with small bounds.
struct bounded_fixture : journal_fixture {
  bounded_fixture() { reopen_with({2, 200, 100, 20}); }

  void reopen_with(journal_bounds bounds) {
    log.reset();
    published = std::make_unique<guest_index>();
    auto wanted = settings();
    wanted.bounds = bounds;
    log = std::make_unique<journal>(std::move(wanted), *published);
  }

  rpc::failure refusal_of_guest(const std::string& id, rpc::metadata_map metadata = {}) {
    return failure_of([&] { add_guest(id, {}, "digest", std::move(metadata)); });
  }
  auto patch(const std::string& guest, rpc::metadata_patch change) {
    return batch([&] { return log->patch_guest_metadata(guest, change); });
  }
  rpc::guest returned(const std::string& id, std::size_t bytes) {
    rpc::guest guest;
    guest.id = id;
    guest.metadata["k"] = std::string(bytes, 'x');
    return guest;
  }
};

} // namespace

TEST_CASE_METHOD(bounded_fixture, "there are at most so many guests, and a deleted one makes room") {
  add_guest("a");
  add_guest("b");
  const auto refused = refusal_of_guest("c");
  CHECK(refused.code() == errc::queue_full);
  CHECK(refused.message() == "there are 2 guests, which is the most");
  CHECK(add_guest("a", "again").repeated);
  add_job("d", "a", "delete");
  complete("create-a");
  complete("d", guest_removed{});
  add_guest("c");
  CHECK(refusal_of_guest("a").code() == errc::queue_full);
}

TEST_CASE_METHOD(bounded_fixture, "guests of one batch count towards the bound before its commit") {
  log->begin();
  const auto add = [&](const std::string& id) {
    rpc::guest guest;
    guest.id = id;
    return log->add_guest(guest, {"create-" + id, id, "create", "", "", "digest"});
  };
  add("a");
  add("b");
  CHECK(failure_of([&] { add("c"); }).code() == errc::queue_full);
  log->commit();
  CHECK(published->size() == 2);
}

TEST_CASE_METHOD(bounded_fixture, "a guest over its bound is not stored") {
  const auto refused = refusal_of_guest("a", {{"k", std::string(300, 'x')}});
  CHECK(refused.code() == errc::too_large);
  CHECK(refused.message().find("at most 200") != std::string::npos);
  CHECK(doc("a").empty());
}

TEST_CASE_METHOD(bounded_fixture, "small patches do not add up to a guest over its bound") {
  add_guest("a");
  patch("a", {{"one", std::string(100, 'x')}});
  const auto before = doc("a");
  CHECK(failure_of([&] { patch("a", {{"two", std::string(100, 'x')}}); }).code() == errc::too_large);
  CHECK(doc("a") == before);
}

TEST_CASE_METHOD(bounded_fixture, "a guest that was over a lowered bound may shrink and stay, but not grow") {
  add_guest("a", {}, "digest", {{"k", std::string(120, 'x')}});
  reopen_with({2, 100, 100, 20});
  CHECK_NOTHROW(patch("a", {{"k", std::string(120, 'y')}}));
  CHECK_NOTHROW(patch("a", {{"k", std::string(110, 'y')}}));
  CHECK(failure_of([&] { patch("a", {{"k", std::string(111, 'y')}}); }).code() == errc::too_large);
  CHECK_NOTHROW(patch("a", {{"k", std::nullopt}}));
}

TEST_CASE_METHOD(bounded_fixture, "a guest that a stage returns over the bound leaves job and guest as they were") {
  add_guest("a");
  add_job("j", "a");
  start("create-a");
  const auto before = doc("a");
  const job_step step{"create-a", guest_returned{before, returned("a", 300)}, job_ends{}};
  const auto refused = failure_of([&] { record(step); });
  CHECK(refused.code() == errc::sub_agent_failed);
  CHECK(refused.message().find("at most 200") != std::string::npos);
  CHECK(doc("a") == before);
  CHECK(job("create-a").status == rpc::job_status::running);
}

TEST_CASE_METHOD(bounded_fixture, "a step that is refused for its guest leaves the rest of its batch") {
  add_guest("a");
  add_guest("b");
  log->begin();
  log->record({"create-b", guest_unchanged{}, job_ends{}});
  CHECK(failure_of([&] {
          log->record({"create-a", guest_returned{doc("a"), returned("a", 300)}, job_ends{}});
        }).code() == errc::sub_agent_failed);
  log->commit();
  CHECK(job("create-b").status == rpc::job_status::complete);
}

TEST_CASE_METHOD(bounded_fixture, "the hypervisor's metadata have a bound of their own") {
  const auto change = [&](rpc::metadata_patch p) { return batch([&] { return log->patch_metadata(p); }); };
  change({{"one", std::string(60, 'x')}});
  const auto refused = failure_of([&] { change({{"two", std::string(60, 'x')}}); });
  CHECK(refused.code() == errc::too_large);
  CHECK(refused.message().find("at most 100") != std::string::npos);
  CHECK(published->metadata().size() == 1);
  CHECK_NOTHROW(change({{"one", std::nullopt}, {"two", std::string(60, 'x')}}));
}

TEST_CASE_METHOD(bounded_fixture, "messages of jobs and texts of events are cut") {
  add_guest("a");
  start("create-a");
  batch([&] { return log->report_progress("create-a", {std::string(50, 'p')}); });
  CHECK(job("create-a").message == std::string(17, 'p') + "…");
  record({"create-a", guest_state{std::string(50, 's')}, job_ends{rpc::job_status::error, std::string(50, 'm')}});
  CHECK(job("create-a").message == std::string(17, 'm') + "…");
  for (const auto& event : job_reader{path}.events_after(0, 100))
    CHECK(event->text.size() <= 20);
}

TEST_CASE_METHOD(bounded_fixture, "bounds that change hold from the next batch on, in both directions") {
  journal_limits now;
  now.bounds = {1, 200, 100, 20};
  log.reset();
  published = std::make_unique<guest_index>();
  auto wanted = settings();
  wanted.limits_now = [&now] { return now; };
  log = std::make_unique<journal>(std::move(wanted), *published);
  add_guest("a");
  CHECK(refusal_of_guest("b").code() == errc::queue_full);
  now.bounds.guests = 2;
  add_guest("b");
  now.bounds.guests = 1;
  CHECK(refusal_of_guest("c").code() == errc::queue_full);
  CHECK(published->size() == 2);
}
