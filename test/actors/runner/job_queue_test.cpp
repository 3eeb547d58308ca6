#include "actors/runner/job_queue.hpp"

#include <catch2/catch.hpp>

using mistify::actors::job_queue;

namespace {

struct job {
  std::string name, key;
  bool waits = false;
  std::string group = {};
  bool held() const { return waits; }
};

class queue_fixture {
public:
  explicit queue_fixture(std::size_t places = 2) : queue{places} {}

  /// Begins all that may: their names, in order.
  std::string begin_all() {
    std::string names;
    while (auto* next = queue.next())
      names += queue.take(*next).name;
    return names;
  }
  static std::string name_of(const job* j) { return j ? j->name : "none"; }
  job& find(const std::string& name) {
    return *std::find_if(queue.begin(), queue.end(), [&](const job& j) { return j.name == name; });
  }

  job_queue<job> queue;
};

} // namespace

TEST_CASE_METHOD(queue_fixture, "jobs of different keys run at a time, as many as there are places") {
  for (const auto* name : {"a", "b", "c"})
    queue.push({name, name});
  CHECK(begin_all() == "ab");
  CHECK(queue.size() == 1);
  queue.ended("b");
  CHECK(begin_all() == "c");
}

TEST_CASE_METHOD(queue_fixture, "jobs of one key run one at a time and in order, and others pass them") {
  queue.push({"1", "x"});
  queue.push({"2", "x"});
  queue.push({"3", "x"});
  queue.push({"4", "y"});
  CHECK(begin_all() == "14");
  queue.ended("y");
  CHECK(begin_all().empty());
  queue.ended("x");
  CHECK(begin_all() == "2");
  queue.ended("x");
  CHECK(begin_all() == "3");
}

TEST_CASE_METHOD(queue_fixture, "a held job holds up its key only") {
  queue.push({"1", "x", true});
  queue.push({"2", "x"});
  queue.push({"3", "y"});
  CHECK(begin_all() == "3");
  find("1").waits = false;
  CHECK(begin_all() == "1");
}

TEST_CASE_METHOD(queue_fixture, "what follows a job that ends is known before it does") {
  for (const auto* name : {"1", "2"})
    queue.push({name, "x"});
  queue.push({"3", "y"});
  queue.push({"4", "z"});
  CHECK(begin_all() == "13");
  CHECK(name_of(queue.next()) == "none");
  CHECK(name_of(queue.next_after("x")) == "2");
  CHECK(name_of(queue.next_after("y")) == "4");
  find("2").waits = true; // promised to one that ends
  CHECK(name_of(queue.next_after("y")) == "4");
  CHECK(name_of(queue.next_after("x")) == "4");
}

TEST_CASE_METHOD(queue_fixture, "a job begins at once only past an empty queue, with a free place and a free key") {
  CHECK(queue.begins_at_once("x"));
  queue.push({"1", "x"});
  CHECK_FALSE(queue.begins_at_once("y"));
  begin_all();
  CHECK_FALSE(queue.begins_at_once("x"));
  CHECK(queue.begins_at_once("y"));
  queue.push({"2", "y"});
  begin_all();
  CHECK_FALSE(queue.begins_at_once("z"));
}

TEST_CASE("jobs of one group take half of the places, and others pass those that wait") {
  queue_fixture four{4};
  for (const auto* name : {"1", "2", "3"})
    four.queue.push({name, name, false, "slow"});
  four.queue.push({"4", "3"}); // of the key of one that waits
  four.queue.push({"5", "5"});
  CHECK(four.begin_all() == "125");
  CHECK_FALSE(four.queue.begins_at_once("6", "slow"));
  CHECK(queue_fixture::name_of(four.queue.next_after("1")) == "3");
  four.queue.ended("1");
  CHECK(four.begin_all() == "3");
  four.queue.ended("3");
  CHECK(four.begin_all() == "4");
  four.queue.ended("2");
  CHECK(four.queue.begins_at_once("6", "slow"));
}

TEST_CASE("with one place and one key it is a plain queue") {
  queue_fixture one{1};
  for (const auto* name : {"1", "2", "3"})
    one.queue.push({name, ""});
  std::string order;
  for (int i = 0; i < 3; ++i) {
    order += one.begin_all();
    one.queue.ended("");
  }
  CHECK(order == "123");
}
