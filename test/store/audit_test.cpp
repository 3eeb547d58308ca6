#include "fixture.hpp"

#include "store/audit.hpp"

using namespace mistify;
using namespace mistify::store;

namespace {

audit_entry by(const std::string& who, const std::string& decision = "accepted") {
  audit_entry what;
  what.who = who;
  what.key = "token:" + who;
  what.how = "token";
  what.decision = decision;
  what.status = decision == "refused" ? 403 : 202;
  what.method = "POST";
  what.path = "/guests";
  what.scope = "guest";
  return what;
}

struct audit_fixture : journal_fixture {
  void note(const audit_entry& what) {
    batch([&] {
      log->note(what);
      return true;
    });
  }

  std::vector<audit_entry> find(const audit_filter& filter = {}, std::size_t limit = 1000) const {
    return job_reader{path}.audited(filter, limit);
  }
};

} // namespace

TEST_CASE("the audit's entry of a job is committed with it, and only if that is queued") {
  audit_fixture f;
  f.add_guest("g");
  new_job job{"j", "g", "reboot", "", "", ""};
  job.audit = std::make_shared<const audit_entry>(by("controller"));
  f.fail_commit = true;
  CHECK_THROWS_AS(f.batch([&] { return f.log->add_job(job); }), rpc::failure);
  CHECK(f.find().empty());
  f.batch([&] { return f.log->add_job(job); });
  const auto found = f.find();
  REQUIRE(found.size() == 1);
  CHECK(found[0].who == "controller");
  CHECK(found[0].guest == "g");
  CHECK(found[0].job == "j");
  CHECK(found[0].action == "reboot");
  CHECK(found[0].at != rpc::timestamp{});
  CHECK(job_reader{f.path}.queued_by("token:controller").contains("j"));
  CHECK(job_reader{f.path}.queued_by("token:other").empty());
  f.reopen();
  CHECK(f.find().size() == 1);
}

TEST_CASE("a job that repeats an earlier one has no entry of its own") {
  audit_fixture f;
  f.add_guest("g");
  new_job job{"j", "g", "reboot", "", "key", "digest"};
  job.audit = std::make_shared<const audit_entry>(by("controller"));
  f.batch([&] { return f.log->add_job(job); });
  job.id = "k";
  CHECK(f.batch([&] { return f.log->add_job(job); }).job.id == "j");
  CHECK(f.find().size() == 1);
}

TEST_CASE("entries are found by what they say, newest first") {
  audit_fixture f;
  f.note(by("one"));
  f.note(by("two", "refused"));
  auto other = by("one");
  other.path = "/tokens";
  other.scope = "admin";
  f.note(other);
  CHECK(f.find().size() == 3);
  CHECK(f.find().front().path == "/tokens");
  CHECK(f.find({}, 2).size() == 2);
  audit_filter filter;
  filter.who = "one";
  CHECK(f.find(filter).size() == 2);
  filter.scope = "admin";
  CHECK(f.find(filter).size() == 1);
  filter = {};
  filter.decision = "refused";
  REQUIRE(f.find(filter).size() == 1);
  CHECK(f.find(filter)[0].who == "two");
  filter = {};
  filter.path = "/tok";
  CHECK(f.find(filter).size() == 1);
  filter.path = "/tok%";
  CHECK(f.find(filter).empty());
  filter = {};
  filter.since = f.find()[1].at;
  CHECK(f.find(filter).size() == 2);
  filter.before = f.find()[0].at;
  CHECK(f.find(filter).size() == 1);
}

TEST_CASE("refusals never displace what was done, and each kind has its bound") {
  audit_fixture f;
  f.note(by("one"));
  constexpr auto more = most_audited + 150;
  f.batch([&] {
    for (std::size_t i = 0; i < more; ++i)
      f.log->note(by("flood", "refused"));
    return true;
  });
  audit_filter filter;
  filter.decision = "refused";
  const auto kept = f.find(filter, 2 * more).size();
  CHECK(kept >= most_audited);
  CHECK(kept < most_audited + 100);
  filter.decision = "accepted";
  CHECK(f.find(filter).size() == 1);
}
