#include "http/cli/mistify/cluster/choice.hpp"

#include "http/cli/mistify/exit_status.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <string>
#include <tuple>

namespace mistify::cli {

namespace {

bool begins(std::string_view id, std::string_view asked) {
  return rpc::text::equal_ignoring_case(id.substr(0, asked.size()), asked);
}

[[noreturn]] void ambiguous(const std::vector<const cluster_host*>& fit, std::string_view asked) {
  constexpr std::size_t most = 8;
  std::string names;
  for (std::size_t i = 0; i < std::min(fit.size(), most); ++i)
    names.append(names.empty() ? "" : ", ").append(fit[i]->id + " (" + fit[i]->ip + ")");
  if (fit.size() > most)
    names += " and " + std::to_string(fit.size() - most) + " more";
  throw give_up{status::usage, "\"" + std::string{asked} + "\" fits several hosts: " + names,
                "say more of the id; nothing was done"};
}

bool fits(const cluster_host& on, const room& guest) {
  const auto& free = on.available;
  return on.alive && free.memory >= guest.memory && free.cpu >= guest.cpu && free.disk >= guest.disk;
}

room less(const room& from, const room& guest) {
  return {from.memory - guest.memory, from.cpu - guest.cpu, from.disk - guest.disk};
}

bool is_better(const placement& a, const placement& b) {
  return std::tuple{b.left.memory, b.left.cpu, b.left.disk, std::string_view{a.host->id}} <
         std::tuple{a.left.memory, a.left.cpu, a.left.disk, std::string_view{b.host->id}};
}

} // namespace

const cluster_host& find_host(const std::vector<cluster_host>& hosts, std::string_view asked) {
  std::vector<const cluster_host*> whole, part;
  for (const auto& one : hosts) {
    if (one.ip == asked || rpc::text::equal_ignoring_case(one.id, asked))
      whole.push_back(&one);
    else if (begins(one.id, asked))
      part.push_back(&one);
  }
  const auto& fit = whole.empty() ? part : whole;
  if (fit.empty())
    throw give_up{status::absent, "there is no host \"" + std::string{asked} + "\" in the cluster",
                  "`mistify hosts` names all"};
  if (fit.size() > 1)
    ambiguous(fit, asked);
  return *fit.front();
}

std::vector<placement> hosts_that_fit(const std::vector<cluster_host>& hosts, const room& guest) {
  std::vector<placement> all;
  for (const auto& one : hosts)
    if (fits(one, guest))
      all.push_back({&one, less(one.available, guest)});
  std::ranges::sort(all, is_better);
  return all;
}

std::vector<placement> place_guests(const std::vector<cluster_host>& hosts, const room& guest, std::size_t count) {
  auto now = hosts;
  std::vector<placement> all;
  while (all.size() < count) {
    const auto best = hosts_that_fit(now, guest);
    if (best.empty())
      break;
    const auto at = static_cast<std::size_t>(best.front().host - now.data());
    all.push_back({&hosts[at], best.front().left});
    now[at].available = best.front().left;
  }
  return all;
}

} // namespace mistify::cli
