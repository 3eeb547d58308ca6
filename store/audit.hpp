#pragma once

#include "rpc/base/time.hpp"
#include "store/sqlite.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace mistify::store {

/// A request and what became of it: who asked, how the client proved its identity, what was needed, what was decided.
/// Texts are empty where they do not apply.
struct audit_entry {
  std::int64_t id = 0;  ///< from 1, in the order of writing; set by the journal
  rpc::timestamp at{};  ///< set by the journal
  std::string who, how; ///< name of the identity; "unix", "cert", "token" or "anonymous"
  std::string key;      ///< identifies the client, such as "token:ID"; never leaves the agent
  std::string scope;    ///< what the route asks for
  std::string decision; ///< "accepted", "repeated" or "refused"
  int status = 0;       ///< of the response
  std::string method, path;
  std::string guest, job, action;
  std::string request_id, peer, process;
  std::int64_t missed = 0; ///< refusals since the entry before that were not kept: there were too many at a time
};
using audit_ptr = std::shared_ptr<const audit_entry>;

/// Entries kept of each of the two kinds, the newest: refusals, and everything else. Refusals have their own room, so
/// that a client without rights cannot displace what others did.
inline constexpr std::size_t most_audited = 10'000;

/// What a reader asks for; empty members match all.
struct audit_filter {
  std::string who, how, scope, decision, guest, path; ///< `path`: its beginning
  rpc::timestamp since{}, before{};                   ///< inclusive and exclusive
};

/// The writer's view of the table `audit`. Belongs to the journal's thread. Throws `failure{storage_failed}`.
class audit_table {
public:
  explicit audit_table(const database& db);

  /// Appends an entry. Every hundredth time, deletes the oldest beyond `most_audited` of its kind.
  void append(const audit_entry& what);

private:
  statement append_, prune_;
  std::array<std::size_t, 2> until_pruned_{}; // of accepted ones and of refusals; 0: at the next
};

/// A reader's view of the table. Throws `failure{storage_failed}`.
class audit_lookup {
public:
  explicit audit_lookup(const database& db);

  /// Returns the newest that match, newest first, at most `limit`.
  std::vector<audit_entry> find(const audit_filter& filter, std::size_t limit);

  /// Returns the ids of the jobs that a client queued, by its `key`.
  std::unordered_set<std::string> jobs_of(std::string_view key);

private:
  statement find_, jobs_of_;
};

} // namespace mistify::store
