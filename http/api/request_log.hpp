#pragma once

#include "http/api/router.hpp"
#include "http/protocol/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mistify::http {

/// What the log is going to say of a request, kept until it is answered: a line of the level debug for each, an error
/// where the agent is at fault, and an audit line where it was to change something, to read a disk or the agent's
/// insides, or was refused because of who the client is.
class request_note {
public:
  /// `row` is what it was routed to, or null; `captures` are that row's. `refused`: by who the client is.
  request_note(const request& from, const route* row, const std::vector<std::string>& captures, bool refused);

  /// To be called once, with how it was answered: `about` of the answer, `status` as the client sees it.
  void answered(const answer_subject& about, int status) const;

private:
  enum class kind : std::uint8_t { read, change, refusal };

  void audit(const answer_subject& about, int status) const;

  kind kind_ = kind::read;
  std::string id_;
  // Only where a line is certain: of a read with the level above debug nothing else is copied.
  std::string method_, path_, peer_, user_agent_, guest_, job_, user_, how_, scope_, process_;
};

} // namespace mistify::http
