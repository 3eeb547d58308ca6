#include "test/store/fixture.hpp"

#include <thread>

using namespace mistify;
using namespace mistify::store;

namespace {

guest_ptr some_guest(std::string id, std::string doc = "{}") {
  return std::make_shared<const stored_guest>(stored_guest{std::move(id), "", std::move(doc)});
}

} // namespace

TEST_CASE("the directory finds what was put last and forgets what was erased") {
  guest_index d;
  d.put(some_guest("b"));
  d.put(some_guest("a", "old"));
  d.put(some_guest("a", "new"));
  REQUIRE(d.find("a"));
  CHECK(d.find("a")->doc == "new");
  REQUIRE(d.all().size() == 2);
  CHECK(d.all().front()->id == "a");
  d.erase("a");
  d.erase("a");
  CHECK_FALSE(d.find("a"));
  CHECK(d.size() == 1);
}

TEST_CASE("a guest that was found stays as it was") {
  guest_index d;
  d.put(some_guest("a", "old"));
  auto held = d.find("a");
  d.put(some_guest("a", "new"));
  d.erase("a");
  CHECK(held->doc == "old");
}

TEST_CASE("threads may read the directory while it changes") {
  guest_index d;
  d.put(some_guest("a"));
  std::thread writer{[&] {
    for (int i = 0; i < 2000; ++i) {
      d.put(some_guest("a", std::to_string(i)));
      d.put_metadata({{"i", std::to_string(i)}});
    }
  }};
  bool always_there = true;
  for (int i = 0; i < 2000; ++i)
    always_there = always_there && d.find("a") && d.all().size() == 1 && d.metadata().size() <= 1;
  writer.join();
  CHECK(always_there);
  CHECK(d.metadata().at("i") == "1999");
}
