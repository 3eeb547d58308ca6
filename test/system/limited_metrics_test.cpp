#include "guarded_agent.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;
using Catch::Contains;

TEST_CASE("an identity that is limited to some guests gets no figures of all, nor of the host") {
  if (::geteuid() != 0)
    return;
  const guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")"),
             limited = agent.token(R"("name":"l","role":"viewer","guests":{"label":"team=red"})");
  CHECK_THAT(agent.with(admin, "GET", "/metrics").body,
             Contains("mistify_guests 0") && Contains("mistify_host_guests_running") &&
               Contains("mistify_jobs_queued_total") && Contains("mistify_work_running"));
  const auto page = agent.with(limited, "GET", "/metrics");
  CHECK(page.status == 200);
  CHECK_THAT(page.body, Contains("mistify_http_connections") && !Contains("mistify_guests") &&
                          !Contains("mistify_host_") && !Contains("mistify_job") && !Contains("mistify_work_"));
}
