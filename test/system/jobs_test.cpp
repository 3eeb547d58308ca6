#include "house.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <regex>

using namespace mistify::test;

namespace {

std::vector<std::string> ids(const std::string& jobs) {
  std::vector<std::string> found;
  for (const auto& job : elements(jobs))
    found.push_back(text_at(job, "ID"));
  return found;
}

const std::string unset = "0001-01-01T00:00:00Z";

} // namespace

TEST_CASE("an agent that has done nothing has no jobs") {
  const house h;
  CHECK(h.http.get("/jobs").status == 200);
  CHECK(h.http.get("/jobs").body == "[]\n");
}

TEST_CASE("a job that ended has all its fields, capitalised, with times in order") {
  house h;
  const auto made = h.http.post("/guests", "{}");
  const auto job = h.ended(made.job());
  const std::regex time{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?(Z|[+-]\d\d:\d\d))"};
  CHECK(text_at(job, "ID") == made.job());
  CHECK(text_at(job, "GuestID") == text_at(made.body, "id"));
  CHECK(text_at(job, "Action") == "create");
  CHECK(text_at(job, "Status") == "Complete");
  CHECK(at(job, "Message") != "(absent)");
  for (const auto* field : {"QueuedAt", "StartedAt", "UpdatedAt"}) {
    INFO(text_at(job, field));
    CHECK(std::regex_match(text_at(job, field), time));
    CHECK(text_at(job, field) != unset);
  }
}

TEST_CASE("a job is queued behind another of its guest, then running, then complete") {
  house h;
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  const auto first = h.http.post("/guests/" + id + "/reboot").job();
  const auto second = h.http.post("/guests/" + id + "/start").job();
  CHECK(h.becomes(first, "Running"));
  const auto waiting = h.http.get("/jobs/" + second).body;
  CHECK(text_at(waiting, "Status") == "Queued");
  CHECK(text_at(waiting, "StartedAt") == unset);
  CHECK(at(waiting, "Message") == R"("")");
  door.open();
  CHECK(h.outcome(first) == "Complete");
  CHECK(h.outcome(second) == "Complete");
}

TEST_CASE("jobs are listed newest first, those of a guest alone, and as many as asked for") {
  house h;
  const auto one = h.create_guest();
  const auto two = h.create_guest();
  const auto reboot = h.http.post("/guests/" + one + "/reboot").job();
  h.ended(reboot);
  const auto fetch = h.http.post("/images", R"({"id":"i"})").job();
  h.ended(fetch);
  const auto all = ids(h.http.get("/jobs").body);
  REQUIRE(all.size() == 4);
  CHECK(all[0] == fetch);
  CHECK(all[1] == reboot);
  const auto of_one = h.http.get("/guests/" + one + "/jobs");
  CHECK(of_one.status == 200);
  CHECK(ids(of_one.body) == std::vector{reboot, all[3]});
  CHECK(ids(h.http.get("/guests/" + two + "/jobs").body) == std::vector{all[2]});
  CHECK(ids(h.http.get("/jobs?limit=2").body) == std::vector{fetch, reboot});
  CHECK(ids(h.http.get("/guests/" + one + "/jobs?limit=1").body) == std::vector{reboot});
  CHECK(ids(h.http.get("/jobs?limit=1000").body).size() == 4);
}

TEST_CASE("a limit that is no whole number is refused") {
  house h;
  const auto id = h.create_guest();
  for (const auto* limit : {"x", "-1", "1.5", "1x", "%20", "1e2"}) {
    INFO(limit);
    for (const auto& path : {std::string{"/jobs"}, "/guests/" + id + "/jobs"}) {
      const auto answer = h.http.get(path + "?limit=" + limit);
      CHECK(answer.status == 400);
      CHECK_FALSE(error_message(answer).empty());
    }
  }
}

TEST_CASE("a job is found by its id, and below its guest only") {
  house h;
  const auto one = h.create_guest();
  const auto two = h.create_guest();
  const auto job = h.http.post("/guests/" + one + "/reboot").job();
  h.ended(job);
  CHECK(h.http.get("/jobs/" + job).status == 200);
  CHECK(h.http.get("/guests/" + one + "/jobs/" + job).body == h.http.get("/jobs/" + job).body);
  CHECK(h.http.get("/guests/" + two + "/jobs/" + job).status == 404);
  for (const auto* none : {"nope", "6a0a1b9c-5d7e-4c2f-8a55-0d9e3c1b2f40"}) {
    const auto answer = h.http.get(std::string{"/jobs/"} + none);
    CHECK(answer.status == 404);
    CHECK_FALSE(error_message(answer).empty());
  }
}

TEST_CASE("the log keeps the newest ended jobs and every job that has not ended") {
  house h{[](config_file& c) { c.top["limits"] = R"({"jobs":3,"job_minutes":0})"; }};
  gate door;
  const auto held = h.create_guest();
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  const auto running = h.http.post("/guests/" + held + "/reboot").job();
  CHECK(h.becomes(running, "Running"));
  std::string last;
  for (int i = 0; i < 6; ++i)
    h.ended(last = h.http.post("/images", R"({"id":"i"})").job());
  CHECK(eventually([&] { return ids(h.http.get("/jobs").body).size() == 4; }));
  const auto kept = ids(h.http.get("/jobs").body);
  CHECK(kept.front() == last);
  CHECK(kept.back() == running);
  door.open();
  // Whoever polls it has to see how it ended, however many jobs ended meanwhile.
  CHECK(h.outcome(running) == "Complete");
}

TEST_CASE("the job that answers a repeated create is there, though the log had forgotten it") {
  house h{[](config_file& c) { c.top["limits"] = R"({"jobs":3,"job_minutes":0})"; }};
  const std::string create = R"({"id":"6a0a1b9c-5d7e-4c2f-8a55-0d9e3c1b2f40","memory":1})";
  const auto first = h.http.post("/guests", create).job();
  h.ended(first);
  for (int i = 0; i < 6; ++i)
    h.ended(h.http.post("/images", R"({"id":"i"})").job());
  REQUIRE(eventually([&] { return h.http.get("/jobs/" + first).status == 404; }));
  CHECK(h.http.post("/guests", create).job() == first);
  CHECK(h.outcome(first) == "Complete");
}

TEST_CASE("ids of jobs are unlike") {
  house h;
  const auto id = h.create_guest();
  std::vector<std::string> jobs;
  for (int i = 0; i < 50; ++i)
    jobs.push_back(h.http.post("/guests/" + id + "/reboot").job());
  std::sort(jobs.begin(), jobs.end());
  CHECK(std::adjacent_find(jobs.begin(), jobs.end()) == jobs.end());
}
