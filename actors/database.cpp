#include "actors/database.hpp"

#include "actors/config/config.hpp"
#include "store/legacy/legacy_import.hpp"

#include <chrono>
#include <limits>
#include <sys/statvfs.h>
#include <utility>

namespace mistify::actors {

namespace {

store::journal_limits limits_of(const config& settings) {
  const auto& limit = settings.limit;
  return {{limit.guests, limit.guest_bytes, limit.metadata_bytes, limit.message_bytes},
          limit.jobs,
          std::chrono::minutes{limit.job_minutes},
          limit.jobs_most,
          limit.events};
}

} // namespace

std::shared_ptr<store::journal> open_journal(const current_config& current, store::guest_index& guests,
                                             store::event_feed& events, store::token_index& tokens,
                                             store::host_board& board, const host_state& host,
                                             std::function<void(std::string_view)> warn) {
  const auto settings = current.get();
  store::journal_settings wanted;
  wanted.path = settings->dbpath;
  wanted.events = &events;
  wanted.tokens = &tokens;
  wanted.host = &board;
  wanted.limits = [&host] { return host.limits(); };
  wanted.take(limits_of(*settings));
  wanted.limits_now = [&current] { return limits_of(*current.get()); };
  wanted.now = [] { return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()); };
  wanted.warn = std::move(warn);
  store::take_over_legacy(settings->import_from, wanted);
  return std::make_shared<store::journal>(std::move(wanted), guests);
}

std::uint64_t free_bytes_at(const std::string& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0)
    return std::numeric_limits<std::uint64_t>::max();
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

std::uint64_t least_free_at(const std::string& path, std::uint64_t wanted) {
  struct statvfs status {};
  if (wanted != limits{}.free_space || ::statvfs(path.c_str(), &status) != 0)
    return wanted;
  const auto whole = std::uint64_t{status.f_blocks} * status.f_frsize;
  return whole > wanted ? wanted : whole / 10;
}

} // namespace mistify::actors
