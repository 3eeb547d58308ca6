#pragma once

#include "http/api/router.hpp"
#include "http/protocol/message.hpp"
#include "store/audit.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace mistify::http {

class audit_trail;

/// The fields of a request's log lines, kept until the response: a debug line for each request, an error line where the
/// agent is at fault, and an audit line, with its entry in the database, where it was to change something, to read a disk
/// or the agent's insides, or was refused because of who the client is.
class request_log_entry {
public:
  /// How the request was judged.
  struct verdict {
    bool refused = false;               ///< because of who the client is
    std::optional<actors::scope> scope; ///< what it needs; null: none
  };

  /// `to` stores the entries; null: they are only logged. `row` is what the request was routed to, or null; `captures`
  /// are that row's.
  request_log_entry(audit_trail* to, const request& from, const route* row, const path_captures& captures, verdict how);

  /// What the handler commits with its change. Null unless the request may change something.
  store::audit_ptr entry() const { return kind_ == kind::change || kind_ == kind::report ? entry_ : nullptr; }

  /// Call once with the response: `about` of the answer, and `status` as the client receives it.
  void answered(const std::optional<answer_subject>& about, int status) const;

private:
  /// A report is audited only if it is refused or names an action: all of them would bury the rest.
  enum class kind : std::uint8_t { read, change, look, report, refusal };

  void audit(const answer_subject& about, int status) const;

  audit_trail* to_;
  kind kind_ = kind::read;
  std::string id_;
  // Set only if a line is certain: for a read at a level above debug nothing is copied.
  std::shared_ptr<store::audit_entry> entry_;
  std::string user_agent_;
};

} // namespace mistify::http
