#include "actors/service/waiting_line.hpp"

#include <catch2/catch.hpp>

#include <string>

using mistify::actors::waiting_line;

namespace {

struct line_fixture {
  std::string pop_all(bool jobs_are_held = false) {
    std::string all;
    while (line.front(jobs_are_held)) {
      CHECK(*line.front(jobs_are_held) == visited().front());
      all += line.pop(jobs_are_held);
    }
    return all;
  }
  std::string visited() const {
    std::string all;
    line.visit([&](char c) {
      all += c;
      return true;
    });
    return all;
  }

  waiting_line<char> line;
};

} // namespace

TEST_CASE_METHOD(line_fixture, "jobs get the turns of jobs in the order of their acceptance") {
  line.push_job(7, 'c');
  line.push('x');
  line.push_job(5, 'a');
  line.push('y');
  line.push_job(6, 'b');
  CHECK(line.size() == 5);
  CHECK(visited() == "axbyc");
  CHECK(pop_all() == "axbyc");
  CHECK(line.empty());
}

TEST_CASE_METHOD(line_fixture, "others pass the jobs while those are held") {
  line.push_job(1, 'a');
  line.push('x');
  CHECK(line.pop(true) == 'x');
  CHECK(line.front(true) == nullptr);
  CHECK(pop_all() == "a");
}

TEST_CASE_METHOD(line_fixture, "a job that is dropped moves those behind it up") {
  line.push_job(1, 'a');
  line.push('x');
  line.push_job(2, 'b');
  line.push('y');
  line.push_job(3, 'c');
  line.drop_if([](char c) { return c == 'a' || c == 'y'; });
  CHECK(visited() == "bxc");
  CHECK(pop_all() == "bxc");
}

TEST_CASE_METHOD(line_fixture, "a visit ends when it has seen enough") {
  line.push('x');
  line.push('y');
  int seen = 0;
  line.visit([&](char) { return ++seen < 1; });
  CHECK(seen == 1);
}
