#include "event_ledger.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace mistify::test {

event_ledger::~event_ledger() {
  if (ear_.joinable())
    ear_.join();
}

void event_ledger::read_along() {
  ear_ = std::thread{[this, reader = std::make_shared<event_reader>(of_.agent.port())] {
    for (auto one = reader->next(); !one.type.empty(); one = reader->next())
      heard_.push_back(std::move(one));
  }};
}

void event_ledger::check() {
  if (ear_.joinable())
    ear_.join();
  wait_for_jobs();
  const auto known = by_job_;
  read_on();
  for (const auto& one : std::exchange(heard_, {})) {
    INFO("heard: " << one.data);
    CHECK(told_[one.id] == one.data);
  }
  for (const auto& [job, events] : by_job_)
    if (const auto before = known.find(job); before == known.end() || before->second.size() != events.size())
      check_job(job);
}

/// Those whose answer the death took, too.
void event_ledger::wait_for_jobs() const {
  CHECK(eventually([&] {
    const auto jobs = elements(of_.http.get("/jobs").body);
    return std::all_of(jobs.begin(), jobs.end(), [](const std::string& job) {
      const auto status = text_at(job, "Status");
      return status == "Complete" || status == "Error";
    });
  }));
}

void event_ledger::read_on() {
  const auto end = event_reader{of_.agent.port()}.place();
  event_reader reader{of_.agent.port(), "?last_event_id=" + last_};
  while (last_ != end) {
    const auto one = reader.next();
    INFO("behind " << last_ << ": " << one.data);
    REQUIRE_FALSE(one.type.empty());
    CHECK(one.id == std::to_string(std::stoll(last_) + 1));
    CHECK(at(one.data, "id") == one.id);
    last_ = one.id;
    told_[one.id] = one.data;
    if (one.type.starts_with("job."))
      by_job_[text_at(one.data, "job")].push_back(one);
  }
}

void event_ledger::check_job(const std::string& job) const {
  const auto& events = by_job_.at(job);
  const auto now = of_.http.get("/jobs/" + job);
  INFO(now.body);
  if (now.status == 404) // the log keeps a thousand
    return;
  const auto count = [&](std::string_view type) {
    return std::count_if(events.begin(), events.end(), [&](const auto& one) { return one.type == type; });
  };
  const bool well = text_at(now.body, "Status") == "Complete";
  CHECK(events.front().type == "job.queued");
  CHECK(count("job.queued") == 1);
  CHECK(count("job.started") == (text_at(now.body, "StartedAt") == "0001-01-01T00:00:00Z" ? 0 : 1));
  CHECK(count("job.ended") == 1);
  CHECK(events.back().type == "job.ended");
  CHECK(text_at(events.back().data, "status") == text_at(now.body, "Status"));
  CHECK(text_at(events.back().data, "message") == text_at(now.body, "Message"));
  CHECK((count("job.stage_done") >= 1 || !well));
}

} // namespace mistify::test
