#include "actors/cluster/registration.hpp"

#include "rpc/base/log.hpp"

#include <algorithm>
#include <utility>

namespace mistify::actors::cluster {

namespace {

using namespace std::chrono_literals;
using rpc::errc;
using rpc::failure;

constexpr auto first_pause = 1s, longest_pause = 30s;
constexpr auto between_lists = 15min; // what a watch might have missed

} // namespace

registration::registration(registration_settings settings, rpc::etcd::client& etcd, status& shown,
                           std::function<double()> chance)
  : settings_{std::move(settings)}, etcd_{etcd}, status_{shown}, chance_{std::move(chance)},
    names_{settings_.prefix, settings_.id}, guest_keys_{names_, settings_.id, settings_.ttl / 2} {}

/// Returns a random pause between half of `mean` and `mean`, so that hosts that lost etcd together do not return together.
registration::clock::duration registration::spread(clock::duration mean) const {
  return std::chrono::duration_cast<clock::duration>(mean * (0.5 + 0.5 * chance_()));
}

registration::clock::time_point registration::due() const noexcept {
  if (standing_ == standing::left)
    return clock::time_point::max();
  if (standing_ != standing::joined)
    return try_at_;
  return std::min({keep_at_, list_at_, write_at_, watching_ ? list_at_ : watch_at_});
}

void registration::step(clock::time_point now, const picture& is_to_be) {
  try {
    if (standing_ == standing::left)
      return;
    if (standing_ != standing::joined) {
      if (now >= try_at_)
        join(now, is_to_be);
      return;
    }
    if (now >= keep_at_)
      keep_lease(now);
    if (standing_ == standing::joined && now >= list_at_)
      list_all(now);
    if (standing_ == standing::joined && !watching_ && now >= watch_at_)
      watch_again();
    if (standing_ == standing::joined && now >= write_at_)
      write_differences(now, is_to_be);
  } catch (const failure& e) {
    fail(now, e);
  } catch (const std::exception& e) {
    fail(now, {errc::internal, e.what()});
  }
}

void registration::fail(clock::time_point now, const failure& why) {
  status_.failures().add();
  pause_ = std::clamp<clock::duration>(pause_ * 2, first_pause, longest_pause);
  try_at_ = now + spread(pause_);
  show(was_joined_ ? standing::away : standing::joining, why.message());
}

void registration::note_failure(clock::time_point now, const failure& why) {
  if (standing_ != standing::left)
    fail(now, why);
}

/// One line in the log for each change of the standing, and for each first error.
void registration::show(standing now, const std::string& error) {
  standing_ = now;
  if (!status_.set(now, error))
    return;
  const rpc::log::fields facts{{"state", std::string{to_string(now)}}, {"host", settings_.id}, {"error", error}};
  if (now == standing::joined && error.empty())
    rpc::log::info("registered in the cluster", facts);
  else if (now != standing::left)
    rpc::log::warning("the registration in the cluster is in trouble", facts);
}

// -- joining --------------------------------------------------------------------------------------------------------

/// Lists all keys again and registers: what was known may have changed.
void registration::join(clock::time_point now, const picture& is_to_be) {
  list_all(now);
  if (const auto* owner = is_.find(names_.owner()); owner && !may_own(*owner))
    return refuse(now, *owner);
  const bool kept = etcd_.keep_lease();
  if (!kept && was_joined_ && !displaced_) {
    status_.lost_leases().add();
    rpc::log::warning("the lease in the cluster was lost", {{"host", settings_.id}});
  }
  if (!kept)
    etcd_.open_lease(settings_.ttl);
  write_owner();
  write_metadata(is_to_be);
  write_heartbeat();
  guest_keys_.remember(is_);
  const bool back = std::exchange(was_joined_, true);
  displaced_ = false;
  pause_ = clock::duration{0};
  // The first one earlier by any part: hosts that start together do not keep their leases together.
  keep_at_ = now + std::chrono::duration_cast<clock::duration>(settings_.ttl / 3.0 * (kept || back ? 0.5 : 0.1) +
                                                               settings_.ttl / 3.0 * 0.5 * chance_());
  write_at_ = now;
  watch_again();
  show(standing::joined, {});
  write_differences(now, is_to_be);
}

/// Returns true if the owner key is on this agent's lease, or was left by an agent with the same database before a restart.
bool registration::may_own(const rpc::etcd::entry& owner) const {
  if (etcd_.is_ours(owner))
    return true;
  return !displaced_ && instance_of(owner.value) == settings_.instance;
}

void registration::refuse(clock::time_point now, const rpc::etcd::entry& owner) {
  try_at_ = now + spread(settings_.ttl / 3);
  const auto instance = instance_of(owner.value);
  show(standing::refused, instance ? "another agent is registered as " + settings_.id + ": " + owner.value
                                   : owner.key + " is not an agent's: remove it if no other agent has this id");
}

void registration::list_all(clock::time_point now) {
  auto host = etcd_.list(names_.host());
  is_.reset(std::move(host), etcd_.list(names_.agent()));
  status_.resyncs().add();
  list_at_ = now + spread(between_lists);
  watching_ = false;
  watch_at_ = now;
}

void registration::keep_lease(clock::time_point now) {
  if (etcd_.keep_lease()) {
    status_.keepalives().add();
    keep_at_ = now + std::chrono::duration_cast<clock::duration>(settings_.ttl / 3.0 * (0.9 + 0.1 * chance_()));
    // Placements of guests are looked up as well. A watch of them would send each host the changes of all guests.
    note_change(now);
    return;
  }
  try_at_ = now;
  show(standing::away, "the lease is lost");
}

void registration::note_change(clock::time_point now) {
  write_at_ = std::min(write_at_, std::max(now, wrote_at_ + between_writes));
}

// -- the watch ------------------------------------------------------------------------------------------------------

void registration::watch_again() {
  etcd_.watch({names_.host(), names_.agent()}, is_.revision() + 1);
  watching_ = true;
}

void registration::take(clock::time_point now, const rpc::etcd::news& news) {
  for (const auto& one : news.events)
    is_.take(one);
  if (standing_ != standing::joined)
    return;
  if (!news.events.empty()) {
    note_change(now);
    watch_pause_ = clock::duration{0};
  }
  look_at_owner(now);
  if (news.state == rpc::etcd::news::condition::fine)
    return;
  rpc::log::info("the watch of the cluster ended", {{"host", settings_.id}, {"reason", news.why}});
  watching_ = false;
  watch_pause_ = std::clamp<clock::duration>(watch_pause_ * 2, first_pause, longest_pause);
  watch_at_ = now + spread(watch_pause_);
  if (news.state == rpc::etcd::news::condition::compacted)
    list_at_ = now + spread(first_pause);
}

/// Another process has taken the owner's key: two agents with one database.
void registration::look_at_owner(clock::time_point now) {
  const auto* owner = is_.find(names_.owner());
  if (!owner || etcd_.is_ours(*owner))
    return;
  displaced_ = true;
  refuse(now, *owner);
  try {
    etcd_.close_lease(); // the heartbeat is the other one's to keep
  } catch (const failure& e) {
    rpc::log::info("the lease in the cluster was not revoked, and expires", {{"error", e.message()}});
  }
}

// -- the end --------------------------------------------------------------------------------------------------------

void registration::resign() {
  if (standing_ != standing::left)
    etcd_.close_lease();
}

/// The metadata goes last: what an operator wrote there is lost only with the host. After a failure the host joins anew.
void registration::leave(clock::time_point now) {
  if (standing_ == standing::left)
    return;
  if (standing_ == standing::refused)
    throw failure{errc::conflict, "another agent is registered as this host"};
  if (standing_ != standing::joined)
    throw failure{errc::unavailable, "the cluster is not reached: " + status_.read().error};
  try {
    etcd_.remove_all(names_.agent());
    etcd_.close_lease();
    etcd_.remove_all(names_.host());
  } catch (const failure& e) {
    fail(now, e);
    throw;
  }
  show(standing::left, {});
}

} // namespace mistify::actors::cluster
