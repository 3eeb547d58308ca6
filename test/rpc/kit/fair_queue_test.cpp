#include "rpc/kit/fair_queue.hpp"

#include <catch2/catch.hpp>
#include <string>

using mistify::rpc::fair_queue;

namespace {

/// What gets a place now, in this order.
std::string taken(fair_queue<char>& from) {
  std::string all;
  while (const auto entry = from.next())
    all += entry->item;
  return all;
}

} // namespace

TEST_CASE("places go out in the order of arrival while there are any") {
  fair_queue<char> q{2};
  for (const char c : {'a', 'b', 'c'})
    q.add(1, c);
  CHECK(taken(q) == "ab");
  CHECK(q.waiting() == 1);
  CHECK(q.free_places() == 0);
  q.leave(1);
  CHECK(taken(q) == "c");
  CHECK(q.held_by(1) == 2);
}

TEST_CASE("a peer that holds fewer places goes before one that came earlier") {
  fair_queue<char> q{3};
  for (const char c : {'a', 'b', 'c', 'd', 'e'})
    q.add(1, c);
  CHECK(taken(q) == "abc");
  q.add(2, 'x');
  q.add(2, 'y');
  CHECK(q.held_by_next() == 0);
  q.leave(1);
  CHECK(taken(q) == "x");
  q.leave(1); // 1 and 1: the one that came first
  CHECK(taken(q) == "d");
}

TEST_CASE("one peer may hold all places while nobody else wants one") {
  fair_queue<char> q{2};
  q.add(1, 'a');
  q.add(1, 'b');
  CHECK(taken(q) == "ab");
  q.leave(1);
  q.leave(1);
  CHECK(q.held_by(1) == 0);
  CHECK(q.free_places() == 2);
}
