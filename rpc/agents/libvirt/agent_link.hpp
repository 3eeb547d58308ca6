#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace httplib {
class Client;
}

namespace mistify::agents {

/// How the agent took a report.
enum class receipt : std::uint8_t {
  taken,   ///< the guest is in that state now
  not_now, ///< a job of the guest runs, or the agent is in trouble: to be made again
  refused, ///< the agent does not know the guest, or takes no reports
  away,    ///< nobody answers
};

/// Tells the agent what guests are in: `PUT /guests/{id}/state`. For one thread.
class agent_link {
public:
  /// Throws std::invalid_argument unless the URL is http://HOST or http://HOST:PORT.
  explicit agent_link(const std::string& url);
  ~agent_link();

  /// Takes some seconds at most.
  receipt tell(const std::string& guest, std::string_view state);

  /// Ends a `tell` that waits for its answer. From any thread.
  void give_up();

private:
  receipt weigh(int status, const std::string& body);

  std::unique_ptr<httplib::Client> client_;
  int warned_of_ = 0; ///< the status that was last complained about: once, not at each report
};

} // namespace mistify::agents
