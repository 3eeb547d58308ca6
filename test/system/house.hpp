#pragma once

#include "daemon.hpp"
#include "http_client.hpp"
#include "json_path.hpp"
#include "sub_agent.hpp"

#include <map>
#include <string>
#include <string_view>

namespace mistify::test {

/// A config for a test; every part is JSON text. By default every action has one stage on the service `test`:
/// `reboot` calls `Test.Reboot`, `containerReboot` `Test.ContainerReboot`. `downloadSnapshot` uses the service
/// `download` with the path /snapshots/download, `guestLog` the service `log` with /guests/log and eight places.
struct config_file {
  explicit config_file(std::uint16_t sub_agent_port);

  /// Sets an action's stages: the text within the brackets.
  void stages(const std::string& action, const std::string& text);
  std::string text() const;

  std::map<std::string, std::string> actions, services, top;
};

/// An agent, its sub-agent and a client, as most tests need them.
struct house {
  explicit house(const std::function<void(config_file&)>& change = {});

  sub_agent sub;
  test::daemon agent;
  http_client http;

  /// Creates a guest, waits until it is complete and returns its id. `members` are JSON members of the guest, such as
  /// `"memory":512`.
  std::string create_guest(std::string_view members = "");

  /// Returns the job once it has ended, or its current state after `patience`.
  std::string ended(const std::string& job) const;
  /// Returns the status of the job once it has ended.
  std::string outcome(const std::string& job) const { return text_at(ended(job), "Status"); }
  std::string message(const std::string& job) const { return text_at(ended(job), "Message"); }
  /// Waits until the job has this status.
  bool becomes(const std::string& job, std::string_view status) const;

  /// True if the agent serves and has not logged a crash.
  bool healthy();
};

/// Returns the message of an error answer. If the answer lacks a required part, returns "" and fails a check.
std::string error_message(const response& answer);

} // namespace mistify::test
