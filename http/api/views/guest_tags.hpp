#pragma once

#include "store/guest_index.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace mistify::http {

/// The entity tags of stored guests, and whether clients may see all of their documents: computed once for each document
/// while it lives. A tag costs more than all else that a read of a guest does. Keeps no document alive. Thread-safe.
class guest_tags {
public:
  struct facts {
    std::string tag;        ///< what `store::guest_tag` returns
    bool is_public = false; ///< the document has nothing that `public_guest` would take out
  };

  /// `guest` is not null; `key` returns the key of the tags, the same in every call.
  facts of(const store::guest_ptr& guest, const std::function<std::string()>& key);

  /// Number of the remembered tags; at most twice the number of documents that lived when dead ones were last removed, or
  /// `fewest`.
  std::size_t size() const;

  /// Up to so many tags, those of dead documents are not looked for.
  static constexpr std::size_t fewest = 1024;

private:
  struct row {
    std::weak_ptr<const store::stored_guest> of; ///< another document may come to lie at the same address
    facts known;
  };
  void forget_dead();

  mutable std::mutex mutex_;
  std::unordered_map<const store::stored_guest*, row> rows_;
  std::size_t look_at_ = fewest; ///< number of tags at which those of dead documents are removed
};

} // namespace mistify::http
