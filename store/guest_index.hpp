#pragma once

#include "rpc/model/model.hpp"
#include "store/guest_facts.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::store {

/// A committed guest as JSON text, ready to be sent. Immutable, shared between threads.
struct stored_guest {
  std::string id;
  std::string type;       ///< `container` or anything else
  std::string doc;        ///< compact JSON text
  guest_facts facts = {}; ///< of the document
};

using guest_ptr = std::shared_ptr<const stored_guest>;

/// The committed state for readers on any thread: all guests and the hypervisor's metadata, in memory. Only the
/// journal changes it, after its commit; readers never wait for the disk.
class guest_index {
public:
  /// Null if there is no such guest.
  guest_ptr find(std::string_view id) const;

  /// All guests, sorted by id.
  std::vector<guest_ptr> all() const;

  /// All guests, sorted by id, with the version of the index that contains them.
  struct listing {
    std::uint64_t version = 0;
    std::vector<guest_ptr> guests;
  };
  listing list() const;

  /// Calls `use` with each guest whose id is greater than `after`, sorted by id, until it returns false. Changes wait
  /// meanwhile: `use` must be quick and must not call the index.
  template <class F>
  void visit_after(std::string_view after, F use) const {
    const std::shared_lock lock{mutex_};
    for (auto at = guests_.upper_bound(after); at != guests_.end() && use(at->guest);)
      ++at;
  }

  /// Increases with every change of a guest; while it is equal, no guest has changed. Takes no lock.
  std::uint64_t version() const noexcept { return version_.load(); }

  /// The size of all guest documents together. Takes no lock.
  std::size_t bytes() const noexcept { return bytes_.load(); }

  std::size_t size() const;

  rpc::metadata_map metadata() const;

  // -- for the journal ---------------------------------------------------------------------------------------------
  void put(guest_ptr guest);
  /// Puts them at once; fastest if they are sorted by id.
  void put_all(std::vector<guest_ptr> guests);
  void erase(std::string_view id);
  void put_metadata(rpc::metadata_map metadata);

private:
  /// Sorted by the guest's own id: a key beside it would be a copy for each guest.
  struct row {
    mutable guest_ptr guest; ///< replaced by another one of the same id only
  };
  struct by_id {
    using is_transparent = void;
    static std::string_view of(const row& r) noexcept { return r.guest->id; }
    static std::string_view of(std::string_view id) noexcept { return id; }
    bool operator()(const auto& a, const auto& b) const noexcept { return of(a) < of(b); }
  };

  void add(guest_ptr& guest);

  mutable std::shared_mutex mutex_;
  std::set<row, by_id> guests_;
  rpc::metadata_map metadata_;
  std::atomic<std::uint64_t> version_{1};
  std::atomic<std::size_t> bytes_{0};
};

} // namespace mistify::store
