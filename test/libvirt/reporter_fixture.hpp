#pragma once

#include "rpc/agents/libvirt/state_reporter.hpp"
#include "test/libvirt/fixture.hpp"
#include "test/rpc/scripted_agent.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mistify::test {

using strings = std::vector<std::string>;

/// An agent that records the reports about one guest. It sends the given responses, then 200; an empty response
/// closes the connection.
class listening_agent {
public:
  explicit listening_agent(std::deque<std::string> answers = {}) : answers_{std::move(answers)} {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }

  /// Returns the first `count` states of the guest, in order; fewer after a time-out.
  strings states(std::size_t count) {
    std::unique_lock lock{mutex_};
    came_.wait_for(lock, std::chrono::seconds{30}, [&] { return states_.size() >= count; });
    return states_;
  }

  void answer_next(std::string status) {
    const std::lock_guard lock{mutex_};
    answers_.push_back(std::move(status));
  }

private:
  void serve(peer& from) {
    for (auto request = from.request(); !request.empty(); request = from.request())
      if (const auto status = note(request); status.empty() || !from.send(http("{}", status)))
        return;
  }

  std::string note(const std::string& request) {
    const std::string head = "PUT /guests/" + std::string{libvirt_fixture::id} + "/state ";
    if (!request.starts_with(head))
      return "404 Not Found"; // a machine of libvirt's test driver
    const std::lock_guard lock{mutex_};
    states_.push_back(request.substr(request.find("\r\n\r\n") + 4));
    came_.notify_all();
    if (answers_.empty())
      return "200 OK";
    auto status = answers_.front();
    answers_.pop_front();
    return status;
  }

  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::string> answers_;
  strings states_;
  scripted_agent server_{[this](peer& from) { serve(from); }}; // last: it uses the other members
};

/// Inputs of reports, and state changes of guests without a job.
struct reporter_fixture : libvirt_fixture {
  agents::hypervisor hypervisor{uri};
  std::shared_ptr<agents::domain_notes> notes = std::make_shared<agents::domain_notes>();

  void shut_down() { agents::must(virDomainDestroy(domain().get())); }
  void start() { agents::must(virDomainCreate(domain().get())); }

  static inline const std::string running = R"({"state":"running"})", made = R"({"state":"shutoff"})",
                                  shutoff = R"({"state":"shutoff","state_reason":"user"})",
                                  missing = R"({"state":"unknown","state_reason":"missing"})";
};

} // namespace mistify::test
