#include "house.hpp"

#include <catch2/catch.hpp>

#include <future>

using namespace mistify::test;

namespace {

/// A job whose sub-agent has not answered yet.
struct progress_house : house {
  explicit progress_house(const std::function<void(config_file&)>& change = {}) : house{change} {
    sub.on("Test.FetchImage", [this](const call& c) {
      door.wait();
      return result(c, R"({"images":[]})");
    });
    job = http.post("/images", R"({"id":"base","source":"http://127.0.0.1:1/base"})").job();
    CHECK(sub.wait_for("Test.FetchImage", 1));
  }
  ~progress_house() { door.open(); }

  response tell(const std::string& body) const { return http.put("/jobs/" + job + "/progress", body); }
  std::string message_now() const { return text_at(http.get("/jobs/" + job).body, "Message"); }

  gate door;
  std::string job;
};

} // namespace

TEST_CASE("a sub-agent tells how far a job is, and the job says so while it runs") {
  progress_house h;
  CHECK(h.sub.calls("Test.FetchImage").at(0).job_id == h.job);
  const auto answer = h.tell(R"({"message":"1 of 3"})");
  CHECK(answer.status == 200);
  CHECK(answer.job().empty());
  CHECK(text_at(answer.body, "Status") == "Running");
  CHECK(answer.body == h.http.get("/jobs/" + h.job).body);
  CHECK(h.message_now() == "1 of 3");
  CHECK(text_at(h.http.get("/guests/agent/jobs").body, "0/Message") == "1 of 3");
  CHECK(h.tell(R"({"message":"2 of 3"})").status == 200);
  CHECK(h.message_now() == "2 of 3");
  h.door.open();
  CHECK(h.outcome(h.job) == "Complete");
  CHECK(h.message_now().empty());
}

TEST_CASE("what a report of progress leaves out stays as it was") {
  progress_house h;
  CHECK(h.tell(R"({"done":5,"total":10,"unit":"MB"})").status == 200);
  const auto answer = h.tell(R"({"done":6})");
  CHECK_THAT(answer.body, Catch::Contains(R"("Progress":{"done":6,"total":10,"unit":"MB"})"));
}

TEST_CASE("progress wakes nobody who waits for the end of the job") {
  progress_house h;
  auto end = std::async(std::launch::async, [&] { return h.http.get("/jobs/" + h.job + "?wait=20s"); });
  CHECK(eventually(
    [&] { return h.http.get("/metrics").body.find("\nmistify_http_parked_requests 1\n") != std::string::npos; }));
  for (const auto* body : {R"({"message":"1 of 3"})", R"({"message":"2 of 3"})"})
    CHECK(h.tell(body).status == 200);
  CHECK(end.wait_for(std::chrono::milliseconds{300}) == std::future_status::timeout);
  h.door.open();
  CHECK(text_at(end.get().body, "Status") == "Complete");
}

TEST_CASE("only a short text is taken as progress, and only of a job that runs") {
  progress_house h;
  CHECK(h.tell(R"({"message":"kept"})").status == 200);
  for (const auto& body : {std::string{"{}"}, std::string{"[]"}, std::string{}, std::string{"{"},
                           std::string{R"({"message":1})"}, std::string{R"({"message":null})"},
                           std::string{R"({"message":""})"}, R"({"message":")" + std::string(257, 'x') + "\"}"}) {
    INFO(body);
    const auto answer = h.tell(body);
    CHECK(answer.status == 400);
    CHECK_FALSE(error_message(answer).empty());
  }
  CHECK(h.message_now() == "kept");
  CHECK(h.tell(R"({"message":")" + std::string(256, 'x') + "\"}").status == 200);
  const auto queued = h.http.post("/images", R"({"id":"base","source":"http://127.0.0.1:1/next"})").job();
  const auto of = [&](const std::string& job) {
    return h.http.put("/jobs/" + job + "/progress", R"({"message":"1"})").status;
  };
  CHECK(of(queued) == 409);
  CHECK(of("0a1b2c3d-0000-4000-8000-000000000009") == 404);
  h.door.open();
  CHECK(h.outcome(h.job) == "Complete");
  CHECK(of(h.job) == 409);
}

TEST_CASE("a message of progress may have several lines, its unit is a word") {
  progress_house h;
  CHECK(h.tell(R"({"message":"layer 1\n\tof 3","unit":"bytes","done":1})").status == 200);
  CHECK(h.message_now() == "layer 1\n\tof 3");
  CHECK(h.tell(R"({"message":"2","unit":"by\ntes","done":2})").status == 400);
  CHECK(h.message_now() == "layer 1\n\tof 3");
}

TEST_CASE("progress that the config switches off is refused") {
  progress_house h{[](config_file& c) { c.top["reports"] = R"({"access":"off"})"; }};
  const auto answer = h.tell(R"({"message":"1 of 3"})");
  CHECK(answer.status == 403);
  CHECK(error_message(answer).find("reports.access") != std::string::npos);
}

TEST_CASE("calls that no job makes come without a job's id") {
  house h;
  const auto id = h.create_guest();
  h.http.get("/guests/" + id + "/metrics/cpu");
  CHECK(h.sub.calls("Test.CpuMetrics").at(0).job_id.empty());
  CHECK_FALSE(h.sub.calls("Test.Create").at(0).job_id.empty());
}
