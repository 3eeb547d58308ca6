#include "store/guest_index.hpp"

#include <mutex>
#include <utility>

namespace mistify::store {

guest_ptr guest_index::find(std::string_view id) const {
  std::shared_lock lock{mutex_};
  auto found = guests_.find(id);
  return found == guests_.end() ? nullptr : found->guest;
}

std::vector<guest_ptr> guest_index::all() const {
  return list().guests;
}

guest_index::listing guest_index::list() const {
  std::shared_lock lock{mutex_};
  listing result{version_.load(), {}};
  result.guests.reserve(guests_.size());
  for (const auto& [guest] : guests_)
    result.guests.push_back(guest);
  return result;
}

std::size_t guest_index::size() const {
  std::shared_lock lock{mutex_};
  return guests_.size();
}

rpc::metadata_map guest_index::metadata() const {
  std::shared_lock lock{mutex_};
  return metadata_;
}

/// The guest that it replaces, if any, is in `guest` afterwards.
void guest_index::add(guest_ptr& guest) {
  bytes_ += guest->doc.size();
  ++version_;
  const auto before = guests_.size();
  const auto at = guests_.insert(guests_.end(), row{guest}); // the hint makes sorted guests cheap
  if (guests_.size() != before)
    return;
  bytes_ -= at->guest->doc.size();
  at->guest.swap(guest);
}

void guest_index::put(guest_ptr guest) {
  std::unique_lock lock{mutex_};
  add(guest);
  lock.unlock(); // frees the old guest, if this is its last owner, without blocking readers
}

void guest_index::put_all(std::vector<guest_ptr> guests) {
  std::unique_lock lock{mutex_};
  for (auto& guest : guests)
    add(guest);
  lock.unlock();
}

void guest_index::erase(std::string_view id) {
  std::unique_lock lock{mutex_};
  if (auto found = guests_.find(id); found != guests_.end()) {
    bytes_ -= found->guest->doc.size();
    ++version_;
    guests_.erase(found);
  }
}

void guest_index::put_metadata(rpc::metadata_map metadata) {
  std::unique_lock lock{mutex_};
  metadata_.swap(metadata);
}

} // namespace mistify::store
