#include "rpc/agents/container/known_containers.hpp"

#include "rpc/agents/container/container_facts.hpp"

namespace mistify::agents::container {

void known_containers::watch(bool now) {
  const std::lock_guard lock{mutex_};
  ids_.clear();
  is_watched_ = now;
}

void known_containers::note(const std::string& guest, const std::string& id) {
  if (!is_engine_id(id))
    return;
  const std::lock_guard lock{mutex_};
  if (!is_watched_)
    return;
  if (ids_.size() >= most && !ids_.contains(guest))
    ids_.erase(ids_.begin());
  ids_[guest] = id;
}

void known_containers::forget(const std::string& guest) {
  const std::lock_guard lock{mutex_};
  ids_.erase(guest);
}

std::string known_containers::id_of(const std::string& guest) const {
  const std::lock_guard lock{mutex_};
  const auto found = ids_.find(guest);
  return found == ids_.end() ? std::string{} : found->second;
}

bool ends_a_name(std::string_view action) noexcept {
  return action == "rename" || action == "destroy" || action == "remove"; // Docker says destroy, podman remove
}

} // namespace mistify::agents::container
