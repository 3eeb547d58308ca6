#include "test/store/fixture.hpp"

#include "store/event_epochs.hpp"

using namespace mistify;
using namespace mistify::store;

TEST_CASE("an event is of the epoch that had begun when it was told") {
  const event_epochs all{{{0, "a"}, {5, "b"}, {9, "c"}}};
  CHECK(all.of(0) == "a");
  CHECK(all.of(1) == "a");
  CHECK(all.of(5) == "a");
  CHECK(all.of(6) == "b");
  CHECK(all.of(9) == "b");
  CHECK(all.of(100) == "c");
  CHECK(all.end_of("a", 12) == 5);
  CHECK(all.end_of("b", 12) == 9);
  CHECK(all.end_of("c", 12) == 12);
  CHECK_FALSE(all.end_of("d", 12));
  CHECK(event_epochs{{}}.of(3).empty());
}

TEST_CASE("each start that tells something begins an epoch, and knows the earlier ones") {
  journal_fixture f;
  f.add_guest("g");
  const auto first = std::string{f.feed.epochs()->of(f.feed.last())};
  CHECK_FALSE(first.empty());
  f.reopen();
  CHECK(f.feed.epochs()->of(f.feed.last()) == first);
  const auto end = f.feed.last();
  f.add_job("j", "g");
  const auto second = f.feed.epochs()->of(f.feed.last());
  CHECK(second != first);
  CHECK(f.feed.epochs()->end_of(first, f.feed.last()) == end);
}

TEST_CASE("a commit that fails begins no epoch") {
  journal_fixture f;
  f.add_guest("g");
  f.reopen();
  const auto before = std::string{f.feed.epochs()->of(f.feed.last())};
  f.fail_commit = true;
  CHECK_THROWS_AS(f.add_job("j", "g"), rpc::failure);
  CHECK(f.feed.epochs()->of(f.feed.last() + 1) == before);
  f.add_job("j", "g");
  CHECK(f.feed.epochs()->of(f.feed.last()) != before);
}

TEST_CASE("epochs of events that are gone are forgotten") {
  journal_fixture f;
  f.keep_events = 10;
  for (int i = 0; i < 40; ++i) {
    f.reopen();
    f.add_job("j" + std::to_string(i), "agent");
  }
  database db{f.path, database::access::read_only};
  CHECK(db.integer("SELECT count(*) FROM event_epochs") < 15);
  CHECK_FALSE(f.feed.epochs()->of(f.feed.last() - 9).empty());
}
