#include "rpc/agents/container/container_metrics.hpp"

#include "rpc/base/text.hpp"

#include <filesystem>
#include <functional>

namespace mistify::agents::container {

namespace {

using rpc::json::node;

const node* member(const node* of, std::string_view name) {
  return of ? of->find(name) : nullptr;
}

/// 0 for what is missing, negative or beyond 64 bits: no figure is worth failing for.
std::int64_t number_in(const node* of, std::string_view name) {
  const auto* found = member(of, name);
  try {
    return found && found->type() == node::kind::number ? std::max<std::int64_t>(found->as_int(name), 0) : 0;
  } catch (const std::exception&) {
    return 0;
  }
}

/// "8:0" → "sda", as the kernel names it; the numbers where it names none.
std::string device_name(const node& row) {
  const auto numbers = std::to_string(number_in(&row, "major")) + ':' + std::to_string(number_in(&row, "minor"));
  std::error_code none;
  const auto link = std::filesystem::read_symlink("/sys/dev/block/" + numbers, none);
  return none ? numbers : link.filename().string();
}

using counter = std::int64_t rpc::guest_disk_metrics::*;

/// Docker writes Read and Write on the first version of cgroups, read and write on the second.
void add_rows(const node* rows, counter reads, counter writes, rpc::guest_metrics_response& to) {
  if (!rows || rows->type() != node::kind::array)
    return;
  for (const node& row : rows->items("")) {
    const auto* op = row.find("op");
    const auto what = op && op->type() == node::kind::string ? op->as_string("") : std::string{};
    const bool reading = rpc::text::equal_ignoring_case(what, "read");
    if (!reading && !rpc::text::equal_ignoring_case(what, "write"))
      continue;
    const auto name = device_name(row);
    auto& figures = to.disk[name];
    figures.disk = name;
    figures.*(reading ? reads : writes) += number_in(&row, "value");
  }
}

using reading = std::function<void(const node& stats, rpc::guest_metrics_response& to)>;

rpc::guest_metrics_response measure(containers& of, engine& on, const rpc::guest_metrics_request& request,
                                    const char* type, const reading& read) {
  const auto& id = request.guest.id;
  expect_guest_id(id);
  rpc::guest_metrics_response answer{request.guest, type};
  const auto facts = of.find(id);
  if (!facts || !facts->running)
    return answer;
  // one-shot: Docker would take a second to compare two readings. Podman answers so without it.
  try {
    if (const auto stats = on.find("/containers/" + facts->key() + "/stats?stream=false&one-shot=1"))
      read(stats->root(), answer);
  } catch (const engine_error&) {
    if (const auto now = of.find(id); now && now->running)
      throw;
    return {request.guest, type}; // it went off meanwhile
  }
  return answer;
}

} // namespace

void read_cpu(const node& stats, rpc::guest_metrics_response& to) {
  const auto* usage = member(stats.find("cpu_stats"), "cpu_usage");
  if (!usage)
    return;
  const auto used = static_cast<double>(number_in(usage, "total_usage")) / 1e9;
  to.cpu.push_back({.cpu_time = used, .vcpu_time = used});
}

void read_disks(const node& stats, rpc::guest_metrics_response& to) {
  const auto* figures = stats.find("blkio_stats");
  using disk = rpc::guest_disk_metrics;
  add_rows(member(figures, "io_service_bytes_recursive"), &disk::read_bytes, &disk::write_bytes, to);
  add_rows(member(figures, "io_serviced_recursive"), &disk::read_ops, &disk::write_ops, to);
}

void read_nics(const node& stats, const std::vector<rpc::nic>& nics, rpc::guest_metrics_response& to) {
  const auto* rows = stats.find("networks");
  if (!rows || rows->type() != node::kind::object)
    return;
  const auto all = rows->members("");
  const bool is_only = all.size() == 1 && nics.size() == 1;
  for (const auto& [key, row] : all) {
    const auto name = is_only ? nics[0].network : std::string{key};
    to.nic[name] = {.name = name,
                    .rx_bytes = number_in(&row, "rx_bytes"),
                    .rx_packets = number_in(&row, "rx_packets"),
                    .rx_errors = number_in(&row, "rx_errors"),
                    .rx_drops = number_in(&row, "rx_dropped"),
                    .tx_bytes = number_in(&row, "tx_bytes"),
                    .tx_packets = number_in(&row, "tx_packets"),
                    .tx_errors = number_in(&row, "tx_errors"),
                    .tx_drops = number_in(&row, "tx_dropped")};
  }
}

void read_nics(const interfaces& seen, const container_facts& facts, rpc::guest_metrics_response& to) {
  for (const auto& nic : to.guest.nics) {
    const auto* network = network_of(nic, to.guest, facts);
    const auto* figures =
      network ? seen.with(network->address.empty() ? network->address6 : network->address) : nullptr;
    if (!figures)
      continue;
    auto& row = to.nic[nic.network] = *figures;
    row.name = nic.network;
  }
}

rpc::guest_metrics_response cpu_metrics(containers& of, engine& on, const rpc::guest_metrics_request& request) {
  return measure(of, on, request, "cpu", read_cpu);
}

rpc::guest_metrics_response disk_metrics(containers& of, engine& on, const rpc::guest_metrics_request& request) {
  return measure(of, on, request, "disk", read_disks);
}

/// Without a network of its own there is only the loopback, which podman counts.
rpc::guest_metrics_response nic_metrics(containers& of, engine& on, const rpc::guest_metrics_request& request) {
  expect_guest_id(request.guest.id);
  rpc::guest_metrics_response answer{request.guest, "nic"};
  if (request.guest.nics.empty())
    return answer;
  if (const auto facts = of.find(request.guest.id); facts && facts->running)
    read_nics(interfaces::of(facts->process, facts->id), *facts, answer);
  if (!answer.nic.empty())
    return answer;
  return measure(of, on, request, "nic",
                 [&](const node& stats, auto& to) { read_nics(stats, request.guest.nics, to); });
}

} // namespace mistify::agents::container
