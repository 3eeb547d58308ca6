#include "actors/cluster/guest_keys.hpp"

#include "actors/cluster/values.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <utility>

namespace mistify::actors::cluster {

void guest_keys::remember(const mirror& is) {
  for (auto& name : is.names_in(names_.present()))
    had_.insert(std::move(name));
}

std::vector<std::string> guest_keys::to_look_up(const guest_states& guests, clock::time_point now,
                                                std::size_t most) const {
  std::vector<std::pair<clock::time_point, std::string>> due;
  for (const auto& [id, state] : guests) {
    const auto known = placements_.find(id);
    if (known == placements_.end())
      due.emplace_back(clock::time_point::min(), id);
    else if (now - known->second.at >= placement_age_)
      due.emplace_back(known->second.at, id);
  }
  std::ranges::sort(due);
  std::vector<std::string> out;
  for (auto& [at, id] : due)
    if (out.size() < most)
      out.push_back(std::move(id));
  return out;
}

void guest_keys::note_placement(const std::string& guest, std::string_view value, clock::time_point now) {
  placements_[guest] = {rpc::text::equal_ignoring_case(host_of_guest(value), id_), now};
  had_.insert(guest);
}

guest_keys::writes guest_keys::difference(const guest_states& guests, const mirror& is) const {
  writes out;
  add_present(guests, is, out);
  add_placed(guests, is, out);
  return out;
}

void guest_keys::add_present(const guest_states& guests, const mirror& is, writes& to) const {
  for (const auto& [id, state] : guests) {
    const auto key = names_.present(id);
    const auto* known = is.find(key);
    auto value = encode(state);
    if (known && known->value == value)
      continue;
    if (known && !is_guest_state(known->value))
      to.left_alone.push_back(key);
    else
      to.own.push_back({key, std::move(value)});
  }
  for (const auto& name : is.names_in(names_.present()))
    if (!guests.contains(name))
      to.own.push_back({names_.present(name), std::nullopt});
}

void guest_keys::add_placed(const guest_states& guests, const mirror& is, writes& to) const {
  for (const auto& [id, where] : placements_) {
    if (!guests.contains(id))
      continue;
    const auto key = names_.placed(id);
    const auto* known = is.find(key);
    if (known && known->value != id)
      to.left_alone.push_back(key);
    else if (where.here && !known)
      to.shared.push_back({key, id, 0});
    else if (!where.here && known)
      to.shared.push_back({key, std::nullopt, known->revision});
  }
  for (const auto& id : had_)
    if (const auto* known = is.find(names_.placed(id)); known && !guests.contains(id) && known->value == id)
      to.shared.push_back({known->key, std::nullopt, known->revision});
}

/// The cluster may place a guest of that name here again: it is an unknown one then.
void guest_keys::forget(const guest_states& guests, const mirror& is) {
  const auto gone = [&](const std::string& id) {
    return !guests.contains(id) && !is.find(names_.placed(id)) && !is.find(names_.present(id));
  };
  std::erase_if(had_, gone);
  std::erase_if(placements_, [&](const auto& one) { return gone(one.first); });
}

} // namespace mistify::actors::cluster
