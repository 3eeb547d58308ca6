#include "rpc/kit/due_reports.hpp"

#include <catch2/catch.hpp>

using mistify::rpc::due_reports;
using namespace std::chrono_literals;

namespace {

const due_reports::clock::time_point start{1h};

} // namespace

TEST_CASE("a guest is told of at its time, and once") {
  due_reports due;
  CHECK_FALSE(due.next());
  due.add("a", start + 2s);
  due.add("b", start + 1s);
  CHECK(due.next() == start + 1s);
  CHECK_FALSE(due.take(start));
  CHECK(due.take(start + 2s) == "b");
  CHECK(due.take(start + 2s) == "a");
  CHECK_FALSE(due.take(start + 1h));
  CHECK_FALSE(due.next());
}

TEST_CASE("of several times the first counts") {
  due_reports due;
  due.add("a", start + 2s);
  due.add("a", start + 1s);
  due.add("a", start + 3s);
  CHECK(due.next() == start + 1s);
  CHECK(due.take(start + 1s) == "a");
  CHECK_FALSE(due.next());
}

TEST_CASE("while the agent is away nothing is due") {
  due_reports due;
  due.add("a", start);
  due.hold_until(start + 5s);
  CHECK(due.next() == start + 5s);
  CHECK_FALSE(due.take(start + 4s));
  CHECK(due.take(start + 5s) == "a");
}

TEST_CASE("too many guests are everyone") {
  due_reports due;
  for (std::size_t i = 0; i <= due_reports::most; ++i)
    due.add(std::to_string(i), start);
  CHECK(due.take(start) == due_reports::everyone);
  CHECK_FALSE(due.take(start));
}
