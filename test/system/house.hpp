#pragma once

#include "daemon.hpp"
#include "http_client.hpp"
#include "json_path.hpp"
#include "sub_agent.hpp"

#include <map>
#include <string>
#include <string_view>

namespace mistify::test {

/// A config as a test changes it, piece by piece; every piece is JSON text. Without changes it has every action of the
/// agent as one stage on the service `test`: `reboot` calls `Test.Reboot`, `containerReboot` `Test.ContainerReboot`.
/// `downloadSnapshot` is on the service `download` with the path /snapshots/download.
struct config_file {
  explicit config_file(std::uint16_t sub_agent_port);

  /// Makes an action's stages: the text within the brackets.
  void stages(const std::string& action, const std::string& text);
  std::string text() const;

  std::map<std::string, std::string> actions, services, top;
};

/// An agent, the sub-agent it calls and a client: what most tests are about.
struct house {
  explicit house(const std::function<void(config_file&)>& change = {});

  sub_agent sub;
  test::daemon agent;
  http_client http;

  /// Creates a guest and waits until it is complete; its id. `members` are JSON members of the guest, such as
  /// `"memory":512`.
  std::string create_guest(std::string_view members = "");

  /// The job once it has ended, or as it is when `patience` is over.
  std::string ended(const std::string& job) const;
  /// The status of the job once it has ended.
  std::string outcome(const std::string& job) const { return text_at(ended(job), "Status"); }
  std::string message(const std::string& job) const { return text_at(ended(job), "Message"); }
  /// Waits until the job's status is this.
  bool becomes(const std::string& job, std::string_view status) const;

  /// The agent still serves and has not logged a crash.
  bool healthy();
};

/// What every error answer has: the message; "" and a failed check where the answer is not as it has to be.
std::string error_message(const response& answer);

} // namespace mistify::test
