#pragma once

#include "rpc/model/model.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace httplib {
class ClientImpl;
}

namespace mistify::rpc {

/// How the agent took a report.
enum class report_result : std::uint8_t {
  taken,   ///< it is so now
  not_now, ///< it may be taken later: a job is in the way or does not run yet, or the agent is in trouble
  refused, ///< the agent takes no such report: a right is missing, or the report is wrong
  unknown, ///< the agent does not know the guest or the job
  away,    ///< nobody answers
};

/// Where the agent is, and how a sub-agent proves who it is.
struct agent_address {
  agent_address(std::string agent_url, std::string file = {}) // NOLINT: a URL alone is one too
    : url{std::move(agent_url)}, token_file{std::move(file)} {}
  agent_address(const char* agent_url) : url{agent_url} {} // NOLINT: as above

  std::string url; ///< http://HOST, http://HOST:PORT or unix:PATH; empty: nobody is told
  /// A file with a bearer token; empty: none. Read before each report, so that a new token counts at once.
  std::string token_file;
  /// Who may listen at a unix socket, beside root and the own user: whom the agent runs as. Others get no report.
  std::vector<uid_t> users = {};
};

/// How a sub-agent tells the agent something without being asked. For one thread.
class agent_reporter {
public:
  /// Throws std::invalid_argument unless the URL is http://HOST, http://HOST:PORT or unix:PATH; with a token, unless it
  /// stays on this machine and the file holds one. `loss` is what it means for people that the agent is away, for the
  /// log: "states are told later".
  agent_reporter(const agent_address& at, std::string loss);
  ~agent_reporter();

  // Each takes some seconds at most.

  /// What a guest is in by itself, and why: `PUT /guests/{id}/state`. A report that is taken sets `stored` to the guest
  /// as the agent has it, JSON text.
  report_result tell_state(const std::string& guest, std::string_view state, std::string_view reason = {},
                           std::string* stored = nullptr);
  /// How far a call is that belongs to this job (see `asker::job`), in at most 256 bytes for people, and in figures where
  /// they are known: `PUT /jobs/{id}/progress`.
  report_result tell_progress(const std::string& job, std::string_view message, const job_progress& figures = {});

  /// Ends a `tell` that waits for its answer. From any thread.
  void give_up();

private:
  report_result tell(const std::string& path, const std::string& body, std::string* answer = nullptr);
  report_result weigh(int status, const std::string& body);
  void note_away(bool now);

  std::unique_ptr<httplib::ClientImpl> client_;
  const std::string token_file_;
  std::string token_; ///< as last read
  const std::string loss_;
  bool away_ = false;
  int warned_of_ = 0; ///< the status that was last complained about: once, not at each report
};

} // namespace mistify::rpc
