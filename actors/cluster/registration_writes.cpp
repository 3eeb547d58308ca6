#include "actors/cluster/registration.hpp"

#include "rpc/base/log.hpp"
#include "rpc/base/time.hpp"

#include <utility>

// The writes of the registration: each on the condition of what is known of its key.
namespace mistify::actors::cluster {

namespace {

using namespace std::chrono_literals;
using rpc::errc;
using rpc::failure;

constexpr auto between_looks = 5s;         // at what the host has, which nothing reports
constexpr std::size_t most_look_ups = 200; // of placements in one step

std::string now_as_text() {
  return rpc::encode(std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()));
}

} // namespace

/// Returns false if another client changed the key. The watch or the next list then reads its new value.
bool registration::write(const rpc::etcd::change& what) {
  const auto revision = etcd_.write(what);
  if (!revision)
    return false;
  status_.writes().add();
  more_ = true;
  if (what.value)
    is_.put({what.key, *what.value, *revision, what.leased ? etcd_.lease() : 0});
  else
    is_.erase(what.key);
  return true;
}

void registration::write_owner() {
  const auto key = names_.owner();
  if (const auto* known = is_.find(key); known && etcd_.is_ours(*known))
    return;
  if (!write({key, new_owner(settings_.instance, now_as_text()), is_.expected(key), true}))
    throw failure{errc::conflict, key + " was changed meanwhile"};
}

void registration::write_metadata(const picture& is_to_be) {
  const auto key = names_.metadata();
  const auto* known = is_.find(key);
  if (!known) {
    if (!write({key, new_metadata(settings_.id, settings_.network, is_to_be), 0}))
      throw failure{errc::conflict, key + " was changed meanwhile"};
    return;
  }
  auto value = updated_metadata(known->value, settings_.id, is_to_be);
  if (!value) {
    found_.insert(key);
    return;
  }
  if (has_resources(known->value, is_to_be))
    return;
  // An operator was quicker: read again, and change that.
  if (write({key, *std::move(value), known->revision}))
    return;
  more_ = true;
  if (auto fresh = etcd_.get(key))
    is_.put(*std::move(fresh));
  else
    is_.erase(key);
}

void registration::write_heartbeat() {
  const auto key = names_.heartbeat();
  if (const auto* known = is_.find(key); known && etcd_.is_ours(*known))
    return;
  if (!write({key, now_as_text(), is_.expected(key), true}))
    throw failure{errc::conflict, key + " was changed meanwhile"};
}

void registration::write_guests(clock::time_point now, const guest_states& guests) {
  for (const auto& id : guest_keys_.to_look_up(guests, now, most_look_ups)) {
    more_ = true;
    const auto found = etcd_.get(names_.guest(id));
    guest_keys_.note_placement(id, found ? found->value : "", now);
  }
  auto due = guest_keys_.difference(guests, is_);
  if (!due.own.empty()) {
    const auto revision = etcd_.write_all(due.own);
    status_.writes().add(due.own.size());
    more_ = true;
    for (auto& one : due.own)
      if (one.value)
        is_.put({one.key, *one.value, revision, 0});
      else
        is_.erase(one.key);
  }
  for (const auto& one : due.shared)
    write(one);
  guest_keys_.forget(guests, is_);
  found_.insert(due.left_alone.begin(), due.left_alone.end());
}

void registration::write_differences(clock::time_point now, const picture& is_to_be) {
  found_.clear();
  more_ = false;
  look_at_owner(now);
  if (standing_ != standing::joined)
    return;
  write_owner();
  write_metadata(is_to_be);
  write_heartbeat();
  if (is_to_be.guests)
    write_guests(now, *is_to_be.guests);
  wrote_at_ = now;
  write_at_ = now + (more_ ? between_writes : between_looks);
  leave_alone(std::exchange(found_, {}));
}

void registration::leave_alone(std::set<std::string> keys) {
  for (const auto& key : keys)
    if (!left_alone_.contains(key))
      rpc::log::warning("a key in the cluster is not the agent's and is left alone", {{"key", key}});
  status_.set_left_alone(keys.size());
  left_alone_ = std::move(keys);
  status_.set(standing_, left_alone_.empty() ? std::string{} : "left alone: " + *left_alone_.begin());
}

} // namespace mistify::actors::cluster
