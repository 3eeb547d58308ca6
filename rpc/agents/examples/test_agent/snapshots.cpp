#include "rpc/agents/examples/test_agent/snapshots.hpp"

#include <algorithm>
#include <stdexcept>

namespace mistify::agents {

namespace {

constexpr std::uint64_t snapshot_size = 4; // MB: large enough to be visible, small enough to be quick

std::string_view entity_of(std::string_view id) {
  return id.substr(0, id.find('@'));
}

std::string_view name_of(std::string_view id) {
  return id.substr(id.find('@') + 1);
}

/// True if `id` names a snapshot of the entity or of something below it.
bool is_within(std::string_view entity, std::string_view id) {
  const auto of = entity_of(id);
  return of.starts_with(entity) && (of.size() == entity.size() || of[entity.size()] == '/');
}

void expect_snapshot(const std::string& id) {
  if (id.empty())
    throw std::runtime_error{"need an id"};
  if (id.find('@') == id.npos)
    throw std::runtime_error{"not a snapshot"};
}

} // namespace

snapshots::list_of::const_iterator snapshots::find(const std::string& id) const {
  expect_snapshot(id);
  const auto at = std::find_if(made_.begin(), made_.end(), [&](const rpc::snapshot& s) { return s.id == id; });
  if (at == made_.end())
    throw std::runtime_error{"not found"};
  return at;
}

rpc::snapshot_response snapshots::list(const rpc::snapshot_request& request) const {
  std::lock_guard lock{mutex_};
  rpc::snapshot_response found;
  for (const auto& s : made_)
    if (request.id.empty() || is_within(request.id, s.id))
      found.snapshots.push_back(s);
  return found;
}

rpc::snapshot_response snapshots::get(const rpc::snapshot_request& request) const {
  std::lock_guard lock{mutex_};
  return {{*find(request.id)}};
}

rpc::snapshot_response snapshots::create(const rpc::snapshot_request& request) {
  if (request.id.empty())
    throw std::runtime_error{"need an id"};
  if (request.dest.empty())
    throw std::runtime_error{"need a dest"};
  const rpc::snapshot made{request.id + '@' + request.dest, snapshot_size};
  std::lock_guard lock{mutex_};
  if (std::any_of(made_.begin(), made_.end(), [&](const rpc::snapshot& s) { return s.id == made.id; }))
    throw std::runtime_error{"already exists"};
  made_.push_back(made);
  return {{made}};
}

rpc::snapshot_response snapshots::remove(const rpc::snapshot_request& request) {
  std::lock_guard lock{mutex_};
  rpc::snapshot_response removed{{*find(request.id)}};
  std::erase_if(made_, [&](const rpc::snapshot& s) {
    return s.id == request.id ||
           (request.recursive && name_of(s.id) == name_of(request.id) && is_within(entity_of(request.id), s.id));
  });
  return removed;
}

rpc::snapshot_response snapshots::rollback(const rpc::snapshot_request& request) {
  std::lock_guard lock{mutex_};
  const auto target = find(request.id);
  rpc::snapshot_response answer{{*target}};
  const auto newer = [&](const rpc::snapshot& s) { return entity_of(s.id) == entity_of(request.id); };
  const auto behind = made_.begin() + (target - made_.cbegin()) + 1;
  if (!request.destroy_more_recent && std::any_of(behind, made_.end(), newer))
    throw std::runtime_error{"more recent snapshots exist"};
  made_.erase(std::remove_if(behind, made_.end(), newer), made_.end());
  return answer;
}

bool snapshots::write_data(const rpc::snapshot& of, const std::function<bool(std::string_view)>& write) {
  std::uint64_t state = std::hash<std::string>{}(of.id) | 1; // xorshift64 needs a seed other than zero
  std::string piece(64 * 1024, '\0');
  for (std::uint64_t left = of.size * 1024 * 1024; left > 0; left -= piece.size()) {
    for (char& byte : piece) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      byte = static_cast<char>(state);
    }
    if (!write(piece))
      return false;
  }
  return true;
}

void snapshots::forget(std::string_view guest_id) {
  const auto entity = "guests/" + std::string{guest_id};
  std::lock_guard lock{mutex_};
  std::erase_if(made_, [&](const rpc::snapshot& s) { return is_within(entity, s.id); });
}

} // namespace mistify::agents
