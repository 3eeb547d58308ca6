#include "actor_fixture.hpp"

using namespace mistify;
using namespace mistify::test;
using actors::probe_atom_v;

namespace {

class probe_fixture : public agent_fixture {
public:
  /// True when the database takes writes.
  bool probe() {
    const auto asked = ask<bool>(log, probe_atom_v);
    REQUIRE(asked->answered());
    return asked->value.value_or(false);
  }
};

} // namespace

TEST_CASE_METHOD(probe_fixture, "a probe writes, and its commit stands for the probes of the next seconds") {
  const auto before = commits.committed.value();
  CHECK(probe());
  CHECK(commits.committed.value() == before + 1);
  CHECK(probe());
  CHECK(commits.committed.value() == before + 1);
  advance(6s);
  CHECK(probe());
  CHECK(commits.committed.value() == before + 2);
}

TEST_CASE_METHOD(probe_fixture, "a full disk is noticed by the probe, and so is room again") {
  *disk_full = true;
  CHECK_FALSE(probe());
  CHECK_FALSE(probe());
  *disk_full = false;
  CHECK(probe());
}

TEST_CASE_METHOD(probe_fixture, "in trouble every probe writes, however young the last commit is") {
  CHECK(probe());
  *disk_full = true;
  const auto refused =
    ask<rpc::metadata_map>(log, actors::patch_atom_v, rpc::metadata_patch{{"a", "b"}}, store::audit_ptr{});
  CHECK(refused->error);
  CHECK_FALSE(probe());
  *disk_full = false;
  CHECK(probe());
}

TEST_CASE_METHOD(probe_fixture, "the log is inside the database only while it writes, and says for how long") {
  CHECK(probe());
  CHECK_FALSE(commits.lasts(std::chrono::steady_clock::now()));
  const actors::commit_metrics::visit held_up{commits};
  const auto later = std::chrono::steady_clock::now() + 3s;
  REQUIRE(commits.lasts(later));
  CHECK(*commits.lasts(later) >= 3s);
  CHECK(*commits.lasts(later) < 1min);
}
