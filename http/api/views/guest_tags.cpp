#include "http/api/views/guest_tags.hpp"

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

std::string guest_tags::of(const store::guest_ptr& guest, const std::function<std::string()>& key) {
  {
    const std::lock_guard lock{mutex_};
    if (const auto known = rows_.find(guest.get()); known != rows_.end() && is_same(known->second.of, guest))
      return known->second.tag;
  }
  auto tag = store::guest_tag(guest->doc, key()); // without the lock: others read meanwhile
  const std::lock_guard lock{mutex_};
  if (rows_.size() >= look_at_)
    forget_dead();
  rows_.insert_or_assign(guest.get(), row{guest, tag});
  return tag;
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
