#include "http/api/event_view.hpp"

#include "test/store/fixture.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::store;
using http::event_view;

namespace {

struct view_fixture : journal_fixture {
  http::principal_ptr who = std::make_shared<const http::principal>(
    http::principal{.name = "l",
                    .guests = actors::guest_selector{{}, std::pair<std::string, std::string>{"team", "red"}},
                    .key = "token:l"});

  void fetch(const std::string& job, const std::string& key) {
    new_job image{job, "agent", "fetchImage", "{}", "", ""};
    image.user = "l"; // names are not unique among identities of all kinds
    auto entry = std::make_shared<audit_entry>();
    entry->key = key;
    image.audit = std::move(entry);
    batch([&] { return log->add_job(image); });
    complete(job);
  }

  std::string seen(event_view& view, std::int64_t behind) const {
    std::string found;
    for (const auto& one : job_reader{path}.events_after(behind, 100))
      found += view.sees(*one) ? one->job + ' ' : "";
    return found;
  }
};

} // namespace

TEST_CASE_METHOD(view_fixture,
                 "the events of jobs that an identity queued are seen, of those before and after it came") {
  fetch("before", "token:l");
  fetch("other", "token:o");
  const job_reader reader{path};
  event_view view{reader, who};
  CHECK(seen(view, 0) == "before before ");
  const auto behind = feed.last();
  fetch("after", "token:l");
  fetch("another", "unix:0");
  CHECK(seen(view, behind) == "after after ");
}

TEST_CASE_METHOD(view_fixture, "an identity without a key has no jobs of its own") {
  fetch("before", "");
  auto nobody = *who;
  nobody.key = "";
  const job_reader reader{path};
  event_view view{reader, std::make_shared<const http::principal>(nobody)};
  CHECK(seen(view, 0).empty());
}
