#include "event_reader.hpp"
#include "guarded_agent.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;
using Catch::Contains;
using Catch::StartsWith;

TEST_CASE(
  "an identity that is limited by a label follows its guests to their end, and nothing of others of the same id") {
  if (::geteuid() != 0)
    return;
  guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto limited = agent.token(R"("name":"l","role":"controller","guests":{"label":"team=red"})");
  const std::string id = "11111111-2222-4333-8444-555555555555";
  const auto run = [&](const std::string& token, const std::string& method, const std::string& path,
                       const std::string& body = "") {
    const auto queued = agent.with(token, method, path, body);
    REQUIRE(queued.status == 202);
    CHECK_THAT(agent.with(token, "GET", "/jobs/" + queued.job() + "?wait=10s").body, Contains("Complete"));
    return queued.job();
  };
  const auto make = [&](const std::string& token, const std::string& team) {
    return run(token, "POST", "/guests", R"({"type":"kvm","id":")" + id + R"(","labels":{"team":")" + team + "\"}}");
  };
  const auto read = [&](const std::string& behind) {
    return event_reader{agent.h.agent.port(), "?last_event_id=" + behind, {"Authorization: Bearer " + limited}};
  };
  const auto jobs_of = [](const std::vector<told_event>& events) {
    std::string found;
    for (const auto& one : events)
      found += one.type + ' ' + text_at(one.data, "job") + '\n';
    return found;
  };
  make(admin, "blue");
  run(admin, "POST", "/guests/" + id + "/reboot");
  const auto other_end = run(admin, "DELETE", "/guests/" + id);
  const auto created = make(limited, "red");
  auto live = read("0");
  const auto life = live.until("job.ended");
  CHECK(life.front().type == "guest.created");
  CHECK_THAT(jobs_of(life), Contains("job.ended " + created) && !Contains(other_end));

  const auto end = agent.with(admin, "DELETE", "/guests/" + id).job();
  CHECK_THAT(agent.with(limited, "GET", "/jobs/" + end + "?wait=10s").body, Contains("Complete"));
  const auto death = "job.queued " + end + "\njob.started " + end + "\njob.stage_done " + end + "\nguest.deleted " +
                     end + "\njob.ended " + end + '\n';
  CHECK(jobs_of(live.until("job.ended")) == death);

  const auto next = make(admin, "blue");
  const auto fetch =
    agent.with(limited, "POST", "/images", R"({"id":"image","source":"http://192.0.2.1/image"})").job();
  agent.with(admin, "POST", "/images", R"({"id":"other","source":"http://192.0.2.1/image"})");
  CHECK_THAT(jobs_of(live.until("job.ended")), StartsWith("job.queued " + fetch) && Contains("job.ended " + fetch));
  for (int i = 0; i < 2; ++i) {
    auto again = read(life.back().place);
    CHECK(jobs_of(again.until("job.ended")) == death);
    CHECK_THAT(jobs_of(again.until("job.ended")), StartsWith("job.queued " + fetch));
    CHECK(agent.with(limited, "GET", "/jobs/" + end).status == 200);
    CHECK(agent.with(limited, "GET", "/jobs/" + created).status == 200);
    CHECK_THAT(agent.with(limited, "GET", "/jobs").body,
               Contains(end) && Contains(created) && Contains(fetch) && !Contains(other_end) && !Contains(next));
    CHECK(agent.with(limited, "GET", "/jobs?limit=1").body.find(fetch) != std::string::npos);
    for (const auto& hidden : {other_end, next})
      CHECK(agent.with(limited, "GET", "/jobs/" + hidden).status == 404);
    agent.h.agent.kill_and_start();
  }
}
