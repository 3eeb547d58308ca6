#pragma once

#include "http/access/policy.hpp"
#include "http/access/principal.hpp"
#include "store/tokens.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mistify::http {

/// Says who a client is: by its token, else by its connection. Thread-safe; a reload replaces the policy at once, for
/// open connections too.
class gatekeeper {
public:
  using clock = std::chrono::system_clock;

  /// `note_use` is called at most once a minute for each token that is used; it must not block.
  gatekeeper(std::shared_ptr<const policy> rules, const store::token_index& tokens,
             std::function<void(store::note_token_use)> note_use);

  void replace(std::shared_ptr<const policy> rules);
  std::shared_ptr<const policy> rules() const;

  /// Null: the token is wrong, and no other identity counts then. A request without a token gets the identity of its
  /// connection. `authorization` is the header's value; "" if it is absent.
  principal_ptr identify(const peer_identity& peer, std::string_view authorization, clock::time_point now);

  /// True if `who` would get at least the same rights now: for answers without end.
  bool still_holds(const principal& who, const peer_identity& peer, std::string_view authorization,
                   clock::time_point now);

private:
  principal_ptr of_token(std::string_view text, rpc::timestamp now);
  void note_use_of(const store::token& token, rpc::timestamp now);

  mutable std::mutex mutex_;
  std::shared_ptr<const policy> rules_;
  const store::token_index& tokens_;
  const std::function<void(store::note_token_use)> note_use_;
  std::unordered_map<std::string, rpc::timestamp> noted_; ///< uses that are on their way, by id
};

} // namespace mistify::http
