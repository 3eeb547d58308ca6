#include "http/api/views/guest_tags.hpp"

#include "http/api/views/public_guest.hpp"
#include "store/guest_tag.hpp"

#include <algorithm>
#include <utility>

namespace mistify::http {

namespace {

/// True if both own the same document, dead or alive.
bool is_same(const std::weak_ptr<const store::stored_guest>& a, const store::guest_ptr& b) {
  return !a.owner_before(b) && !b.owner_before(a);
}

} // namespace

guest_tags::facts guest_tags::of(const store::guest_ptr& guest, const std::function<std::string()>& key) {
  {
    const std::lock_guard lock{mutex_};
    if (const auto known = rows_.find(guest.get()); known != rows_.end() && is_same(known->second.of, guest))
      return known->second.known;
  }
  // Without the lock: others read meanwhile.
  facts found{store::guest_tag(guest->doc, key()), !mentions_secrets(guest->doc)};
  const std::lock_guard lock{mutex_};
  if (rows_.size() >= look_at_)
    forget_dead();
  rows_.insert_or_assign(guest.get(), row{guest, found});
  return found;
}

std::size_t guest_tags::size() const {
  const std::lock_guard lock{mutex_};
  return rows_.size();
}

/// Seldom enough that a tag costs the same however many there are.
void guest_tags::forget_dead() {
  std::erase_if(rows_, [](const auto& one) { return one.second.of.expired(); });
  look_at_ = std::max(fewest, 2 * rows_.size());
}

} // namespace mistify::http
