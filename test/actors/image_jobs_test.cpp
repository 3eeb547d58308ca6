#include "actor_fixture.hpp"

using namespace mistify;
using namespace mistify::test;
using namespace mistify::actors;
using rpc::errc;
using rpc::job_status;

namespace {

limits image_limits(std::size_t at_a_time, std::size_t open = 100) {
  limits limit;
  limit.image_jobs = at_a_time;
  limit.open_image_jobs = open;
  return limit;
}

/// Image jobs on a service with four places.
class image_fixture : public agent_fixture {
public:
  explicit image_fixture(limits limit = image_limits(2))
    : agent_fixture{limit, R"("deleteImage":{"stages":[{"service":"s","method":"T.Drop"}]},)"} {}

  auto queue(std::string_view name, const std::string& image, const std::string& source = {}) {
    const auto wish = R"({"id":")" + image + R"(","source":")" + source + R"("})";
    return ask<store::queued_job>(front, queue_atom_v, std::string{"agent"}, job_request{action(name), wish, "", wish});
  }
  std::string fetch(const std::string& image) {
    const auto queued = queue("fetchImage", image);
    REQUIRE(queued->value);
    return queued->value->job.id;
  }
  job_status status(const std::string& job) const { return job_of(job).status; }

  /// The images that calls are out for, in the order of the calls.
  std::string out() const {
    std::string images;
    for (const auto& one : sub_agent->calls)
      images += rpc::decode_image_request(one.call.params).id;
    return images;
  }
  /// Answers the call for that image, without letting the actors run.
  void tell(const std::string& image) {
    auto& calls = sub_agent->calls;
    const auto at = std::find_if(calls.begin(), calls.end(), [&](const auto& one) {
      return rpc::decode_image_request(one.call.params).id == image;
    });
    REQUIRE(at != calls.end());
    const auto one = std::move(*at);
    calls.erase(at);
    one.answer(R"({"images":[]})");
  }
  void finish(const std::string& image) {
    tell(image);
    run();
  }
};

struct wide_fixture : image_fixture {
  wide_fixture() : image_fixture{image_limits(6)} {}
};
struct full_fixture : image_fixture {
  full_fixture() : image_fixture{image_limits(1, 2)} {}
};

} // namespace

TEST_CASE_METHOD(image_fixture, "a fetch that does not end holds up no other image") {
  const auto drips = fetch("a"), other = fetch("b"), third = fetch("c");
  CHECK(out() == "ab");
  CHECK(status(third) == job_status::queued);
  finish("b");
  CHECK(status(other) == job_status::complete);
  CHECK(out() == "ac");
  finish("c");
  CHECK(status(third) == job_status::complete);
  CHECK(status(drips) == job_status::running);
}

TEST_CASE_METHOD(wide_fixture, "a server that drips holds up its own images only, however many they are") {
  for (const auto* image : {"a", "b", "c"})
    queue("fetchImage", image, "http://user:pw@Slow:80/x");
  queue("fetchImage", "d", "http://slow./x");
  CHECK(out() == "abc");
  queue("fetchImage", "e", "https://slow:8443?y");
  queue("fetchImage", "f", "http://other/x");
  queue("deleteImage", "g");
  CHECK(out() == "abcfg");
  finish("b");
  CHECK(out() == "acfgd");
}

TEST_CASE_METHOD(image_fixture, "jobs of one image run one at a time, in order") {
  const auto first = fetch("a");
  const auto dropped = queue("deleteImage", "a")->value->job.id;
  const auto again = fetch("a"), other = fetch("b");
  CHECK(out() == "ab");
  finish("a");
  CHECK(status(first) == job_status::complete);
  CHECK(out() == "ba");
  CHECK(sub_agent->calls.back().call.method == "T.Drop");
  CHECK(status(again) == job_status::queued);
  finish("a");
  CHECK(status(dropped) == job_status::complete);
  CHECK(sub_agent->calls.back().call.method == "T.Fetch");
  finish("a");
  CHECK(status(again) == job_status::complete);
  CHECK(status(other) == job_status::running);
}

TEST_CASE_METHOD(image_fixture, "two jobs that end in one commit begin two others, each once") {
  for (const auto* image : {"a", "b", "c", "d", "e"})
    fetch(image);
  tell("a");
  tell("b");
  run();
  CHECK(out() == "cd");
  finish("c");
  CHECK(out() == "de");
}

TEST_CASE_METHOD(image_fixture, "while the database refuses writes no waiting job begins twice") {
  fetch("a");
  fetch("b");
  const auto next = fetch("c");
  *disk_full = true;
  tell("a");
  tell("b");
  run();
  CHECK(out().empty());
  *disk_full = false;
  advance(2s);
  CHECK(out() == "c");
  finish("c");
  CHECK(status(next) == job_status::complete);
}

TEST_CASE_METHOD(wide_fixture, "fetches do not count against the places of their service, other image jobs do") {
  for (const auto* image : {"a", "b", "c", "d", "e"})
    fetch(image);
  CHECK(out() == "abcde");
  queue("deleteImage", "f");
  CHECK(out() == "abcdef");
  add_guest("33333333-3333-3333-3333-333333333333");
}

TEST_CASE_METHOD(image_fixture, "a cancelled job gives its place and its image to the next") {
  const auto first = fetch("a");
  fetch("b");
  const auto again = fetch("a");
  const auto cancelled = ask<rpc::job>(front, cancel_atom_v, std::string{"agent"}, first);
  REQUIRE(cancelled->value);
  CHECK(status(first) == job_status::error);
  CHECK(status(again) == job_status::running);
}

TEST_CASE_METHOD(image_fixture, "after a crash the jobs that had not begun go on in their order") {
  const auto running = fetch("a"), other = fetch("b");
  const auto again = fetch("a"), third = fetch("c");
  restart();
  CHECK(status(running) == job_status::error);
  CHECK(status(other) == job_status::error);
  CHECK(out() == "ac");
  finish("c");
  finish("a");
  CHECK(status(again) == job_status::complete);
  CHECK(status(third) == job_status::complete);
}

TEST_CASE_METHOD(full_fixture, "a bounded number of image jobs is open, and the refusal says the number") {
  fetch("a");
  fetch("b");
  const auto refused = queue("fetchImage", "c");
  REQUIRE(refused->error);
  CHECK(refused->error->code() == errc::queue_full);
  CHECK(refused->error->message() == "there are 2 image jobs that have not ended, which is the most");
  finish("a");
  CHECK(queue("fetchImage", "c")->value);
}
