#pragma once

#include "store/guest_index.hpp"
#include "store/host_board.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mistify::store {

/// What a job that has not ended adds to the sums.
struct reservation {
  host_sums::amounts allocated; ///< of a guest that runs
  host_sums::amounts promised;
  std::uint64_t disk = 0;
  std::string guest = {};             ///< whose job it is
  std::vector<std::string> macs = {}; ///< as `comparable_mac` writes them
};

/// What all guests together take, and who has which MAC address, VNC port and name: kept up to date with each change
/// instead of being computed. Changes count at once, so that the next step of the same batch is judged by them;
/// `rollback` undoes those since the last `commit`. Belongs to one thread.
class guest_ledger {
public:
  /// Adds the guests of the start. There are none yet, and it is not undone.
  void load(std::vector<guest_ptr> guests);
  void put(guest_ptr guest); ///< adds or replaces
  void erase(const std::string& id);

  /// A start of the guest is queued (+1) or has ended (-1). Meanwhile the guest counts as if it ran. Ignored for a guest
  /// that is not there.
  void count_start(const std::string& id, int by);

  /// A queued job will make a guest grow by so much, or give it these MAC addresses: it counts from now on, until the job
  /// ends (null).
  void reserve(const std::string& job_id, const std::optional<reservation>& what);

  void commit() noexcept {
    undo_.clear();
    undo_reserved_.clear();
  }
  void rollback();

  const host_sums& sums() const noexcept { return sums_; }
  bool is_allocated(const std::string& id) const;

  /// The guest other than `but` that has it; null if there is none.
  const std::string* holder_of_mac(const std::string& mac, std::string_view but) const;
  const std::string* holder_of_vnc(std::int64_t port, std::string_view but) const;
  const std::string* holder_of_name(const std::string& name, std::string_view but) const;
  /// The guest whose id is this one in another case, which is the same UUID; null if there is none. Only imported guests
  /// have ids with upper case.
  const std::string* holder_of_spelling(const std::string& lower_id) const;

private:
  struct entry {
    guest_ptr guest;
    int starts = 0;
  };
  /// Whose key and owner are of a guest in `entries_`: copies of them would be a tenth of a guest's memory.
  template <class Key>
  using owners = std::unordered_multimap<Key, const stored_guest*>;
  using reserved_macs = std::unordered_multimap<std::string, std::string>; ///< with the guest's id

  void note(const std::string& id);
  void set(std::string_view id, const std::optional<entry>& as);
  void enter(const entry& one);
  void count(const entry& one, bool add);
  void index(const stored_guest& guest, bool add);
  void set_reserved(const std::string& job_id, const std::optional<reservation>& as);

  std::unordered_map<std::string_view, entry> entries_;        ///< by the guest's own id
  std::unordered_map<std::string, std::optional<entry>> undo_; ///< as it was at the last commit
  std::unordered_map<std::string, reservation> reserved_;      ///< by job
  std::unordered_map<std::string, std::optional<reservation>> undo_reserved_;
  owners<std::string_view> macs_, names_;
  owners<std::int64_t> ports_;
  owners<std::string> spellings_; ///< by the lower case of ids that have upper case
  reserved_macs reserved_macs_;
  host_sums sums_;
};

} // namespace mistify::store
