#pragma once

#include "rpc/base/time.hpp"
#include "store/sqlite.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mistify::store {

/// A secret before a rotation, which still holds for a while.
struct old_secret {
  std::string hash;
  rpc::timestamp until{};
  bool operator==(const old_secret&) const = default;
};

/// A bearer token as it is stored: never its secret, only the SHA-256 of that.
struct token {
  std::string id, name;                             ///< `name` is unique
  std::string hash;                                 ///< of the secret, lower-case hex
  std::string role;                                 ///< empty where `scopes` counts
  std::string scopes;                               ///< names of scopes separated by blanks
  std::string guests;                               ///< selector as JSON text; empty: every guest
  std::string service;                              ///< of a sub-agent's token; empty: none
  rpc::timestamp created{}, last_used{}, expires{}; ///< unset: never
  std::vector<old_secret> old = {};                 ///< of the rotations before, oldest first
};
using token_ptr = std::shared_ptr<const token>;

// -- changes ---------------------------------------------------------------------------------------------------------

struct add_token {
  token what;
};
struct remove_token {
  std::string id;
};
/// Most secrets of a token that hold at a time, beside the newest: a client that rotates more often is broken.
inline constexpr std::size_t most_old_secrets = 8;

/// The secret until now holds until `old_until`; those before it as long as they were to. `at` is now.
struct rotate_token {
  std::string id, hash;
  rpc::timestamp at{}, old_until{};
};
struct note_token_use {
  std::string id;
  rpc::timestamp at{};
};
using token_change = std::variant<add_token, remove_token, rotate_token, note_token_use>;

/// Most tokens that are kept. More than that is a controller that forgets to revoke.
inline constexpr std::size_t most_tokens = 10'000;

/// The committed tokens in memory, for readers on any thread. Only the journal changes it, after its commit.
class token_index {
public:
  token_ptr find(std::string_view id) const; ///< null if there is none
  std::vector<token_ptr> all() const;        ///< by id
  bool empty() const;

  // -- for the journal -----------------------------------------------------------------------------------------------
  void put(token_ptr token);
  void erase(std::string_view id);

private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, token_ptr, std::less<>> tokens_;
};

/// The table. Belongs to the journal's thread.
class token_table {
public:
  explicit token_table(const database& db);

  std::vector<token_ptr> all();
  void put(const token& what);
  void erase(std::string_view id);

private:
  statement all_, put_, erase_;
};

} // namespace mistify::store
