#pragma once

#include "http/api/router.hpp"
#include "http/protocol/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mistify::http {

/// The fields of a request's log lines, kept until the response: a debug line for each request, an error line if the
/// where the agent is at fault, and an audit line where it was to change something, to read a disk or the agent's
/// insides, or was refused because of who the client is.
class request_log_entry {
public:
  /// `row` is what it was routed to, or null; `captures` are that row's. `refused`: by who the client is.
  request_log_entry(const request& from, const route* row, const std::vector<std::string>& captures, bool refused);

  /// Call once with the response: `about` of the answer, and `status` as the client receives it.
  void answered(const answer_subject& about, int status) const;

private:
  enum class kind : std::uint8_t { read, change, refusal };

  void audit(const answer_subject& about, int status) const;

  kind kind_ = kind::read;
  std::string id_;
  // Set only if a line is certain: for a read at a level above debug nothing else is copied.
  std::string method_, path_, peer_, user_agent_, guest_, job_, user_, how_, scope_, process_;
};

} // namespace mistify::http
