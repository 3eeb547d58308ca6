#pragma once

#include "http/api/router.hpp"
#include "http/protocol/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mistify::http {

/// The fields of a request's log lines, kept until the response: a debug line for each request, an error line if the
/// agent failed, and an audit line if the request was to change something.
class request_note {
public:
  /// `row` is the matched route, or null; `captures` are its captures.
  request_note(const request& from, const route* row, const std::vector<std::string>& captures);

  /// Call once with the response: `about` of the answer, and `status` as the client receives it.
  void answered(const answer_subject& about, int status) const;

private:
  enum class kind : std::uint8_t { read, change };

  void audit(const answer_subject& about, int status) const;

  kind kind_ = kind::read;
  std::string id_;
  // Set only if a line is certain: for a read at a level above debug nothing else is copied.
  std::string method_, path_, peer_, user_agent_, guest_, job_;
};

} // namespace mistify::http
