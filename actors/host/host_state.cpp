#include "actors/host/host_state.hpp"

#include "actors/host/proc_host.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <unistd.h>
#include <utility>

namespace mistify::actors {

namespace {

using rpc::errc;
using rpc::failure;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0)
    return {};
  return name.data();
}

std::uint64_t less(std::uint64_t size, std::uint64_t reserve) noexcept {
  return size - std::min(size, reserve);
}

/// Ratios are bounded by the config, so that the product fits.
std::uint64_t times(std::uint64_t size, double ratio) noexcept {
  return static_cast<std::uint64_t>(std::floor(static_cast<double>(size) * ratio));
}

/// With one store, all disks are in it; with several, only the store can say which.
void count_disks(std::vector<rpc::store_info>& stores, std::uint64_t disks) {
  if (stores.size() == 1 && stores.front().promised == 0)
    stores.front().promised = disks;
}

} // namespace

host_state::host_state(std::optional<host_options> options, bool asks, const store::host_board& board,
                       std::function<clock::time_point()> now)
  : options_{options}, asks_{asks}, board_{board}, now_{std::move(now)}, name_{host_name()}, product_id_{
                                                                                               read_product_uuid()} {}

void host_state::put(rpc::host_figures figures) {
  if (figures.host.cpu.count == 0 || figures.host.memory.total == 0) { // a host without such a sub-agent
    auto kernel = read_proc_host();
    if (figures.host.cpu.count == 0)
      figures.host.cpu = std::move(kernel.cpu);
    if (figures.host.memory.total == 0)
      figures.host.memory = std::move(kernel.memory);
  }
  const auto now = now_();
  const std::lock_guard lock{mutex_};
  known_ = {std::move(figures), now, {}};
}

void host_state::set_asks(bool asks) {
  asks_ = asks;
  const std::lock_guard lock{mutex_};
  if (!asks)
    known_ = {};
}

void host_state::note_failure(std::string why) {
  const std::lock_guard lock{mutex_};
  known_.error = std::move(why);
}

/// The kernel's figures while there are no others.
host_state::known host_state::last() const {
  known result;
  {
    const std::lock_guard lock{mutex_};
    result = known_;
  }
  if (!result.at)
    result.figures.host = read_proc_host();
  return result;
}

std::optional<host_state::clock::duration> host_state::age() const {
  const std::lock_guard lock{mutex_};
  return known_.at ? std::optional{now_() - *known_.at} : std::nullopt;
}

host_view host_state::view() const {
  auto found = last();
  host_view out;
  out.name = name_;
  out.id = !given_id_.empty() ? given_id_ : !product_id_.empty() ? product_id_ : found.figures.host.id;
  out.sums = board_.sums();
  out.maintenance = board_.maintenance();
  if (found.at)
    out.age = std::chrono::duration_cast<std::chrono::seconds>(now_() - *found.at);
  else if (!asks_)
    out.age = std::chrono::seconds{0}; // read from the kernel just now
  out.figures = std::move(found.figures);
  count_disks(out.figures.stores, out.sums.disk);
  out.error = std::move(found.error);
  return out;
}

host_capacity host_state::size_of(const rpc::host_figures& figures) const {
  constexpr host_options plain{.cpu_ratio = 1};
  const auto& by = options_.value_or(plain);
  host_capacity size;
  size.cpu.total = times(figures.host.cpu.count, by.cpu_ratio);
  size.memory.total = less(times(figures.host.memory.total, by.memory_ratio), by.reserve_memory);
  std::uint64_t disks = 0;
  for (const auto& store : figures.stores)
    disks += store.total;
  size.disk.total = less(disks, by.reserve_disk);
  return size;
}

host_capacity host_state::capacity() const {
  auto result = size_of(last().figures);
  const auto sums = board_.sums();
  const auto fill = [](actors::capacity& of, std::uint64_t allocated, std::uint64_t promised) {
    of.allocated = allocated;
    of.promised = promised;
  };
  fill(result.memory, sums.allocated.memory, sums.promised.memory);
  fill(result.cpu, sums.allocated.cpu, sums.promised.cpu);
  fill(result.disk, sums.disk, sums.disk);
  result.guests = sums.guests;
  result.running = sums.running;
  result.maintenance = board_.maintenance();
  return result;
}

std::optional<store::host_limits> host_state::limits() const {
  if (!admits_by_size())
    return std::nullopt;
  rpc::host_figures figures;
  {
    const std::lock_guard lock{mutex_};
    const auto reason = known_.error.empty() ? std::string{} : " (" + known_.error + ")";
    if (!known_.at)
      throw failure{errc::unavailable, "the size of the host is not known yet" + reason};
    if (const auto old = now_() - *known_.at; old > oldest)
      throw failure{errc::unavailable, "the size of the host was last known " +
                                         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(old).count()) +
                                         " s ago" + reason};
    figures = known_.figures;
  }
  const auto size = size_of(figures);
  store::host_limits limits{size.memory.total, size.cpu.total, std::nullopt};
  if (!figures.stores.empty())
    limits.disk = size.disk.total;
  return limits;
}

} // namespace mistify::actors
