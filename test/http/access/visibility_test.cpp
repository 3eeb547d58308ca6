#include "http/access/visibility.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::http;

namespace {

struct fixture {
  store::guest_index guests;

  fixture() {
    put("a", R"({"id":"a","labels":{"team":"web"}})");
    put("b", R"({"id":"b","labels":{"team":"db"}})");
    put("c", R"({"id":"c","labels":{"team":7}})");
    put("d", R"({"id":"d","labels":null})");
  }

  void put(const std::string& id, const std::string& doc) {
    guests.put(std::make_shared<const store::stored_guest>(store::stored_guest{id, "", doc}));
  }

  std::string seen_by(const principal& who) const {
    std::string seen;
    for (const auto& guest : guests.all())
      if (sees(who, *guest))
        seen += guest->id;
    return seen;
  }
};

} // namespace

TEST_CASE("an identity without selector sees every guest and the hypervisor's jobs") {
  const fixture f;
  CHECK(f.seen_by({}) == "abcd");
  CHECK(sees_guest({}, f.guests, "agent"));
  CHECK(sees_guest({}, f.guests, "gone"));
}

TEST_CASE("a selector of ids shows those guests, also when they are gone, and nothing else") {
  const fixture f;
  const principal who{.guests = actors::guest_selector{{"a", "gone"}}};
  CHECK(f.seen_by(who) == "a");
  CHECK(sees_guest(who, f.guests, "gone"));
  CHECK_FALSE(sees_guest(who, f.guests, "agent"));
  CHECK_FALSE(sees_guest(who, f.guests, "b"));
}

TEST_CASE("a selector by label shows the guests that have it now") {
  fixture f;
  const principal who{.guests = actors::guest_selector{{}, std::pair<std::string, std::string>{"team", "web"}}};
  CHECK(f.seen_by(who) == "a");
  CHECK_FALSE(sees_guest(who, f.guests, "gone"));
  f.put("b", R"({"id":"b","labels":{"team":"web"}})");
  CHECK(f.seen_by(who) == "ab");
}

TEST_CASE("a guest that is gone is judged by its id, or by the labels that it had") {
  const fixture f;
  const rpc::metadata_map web{{"team", "web"}, {"tier", "1"}}, db{{"team", "db"}};
  const principal labelled{.guests = actors::guest_selector{{}, std::pair<std::string, std::string>{"team", "web"}}};
  CHECK(sees_as(labelled, "gone", &web));
  CHECK_FALSE(sees_as(labelled, "a", &db)); // whatever it is now
  CHECK_FALSE(sees_as(labelled, "a", nullptr));
  const principal named{.guests = actors::guest_selector{{"gone"}}};
  CHECK(sees_as(named, "gone", nullptr));
  CHECK_FALSE(sees_as(named, "a", &web));
  CHECK(sees_as({}, "a", nullptr));
}

TEST_CASE("a selector without ids shows no guest") {
  const fixture f;
  CHECK(f.seen_by({.guests = actors::guest_selector{}}).empty());
}
