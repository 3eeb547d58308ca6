#include "rpc/agents/libvirt/metrics.hpp"

#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/agents/libvirt/domain_xml.hpp"
#include "rpc/agents/libvirt/machines.hpp"

#include <libvirt/virterror.h>

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

namespace mistify::agents {

namespace {

double seconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

double seconds(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

using measurement = std::function<void(virDomainPtr, rpc::guest_metrics_response&)>;

/// Lets `f` fill the answer if the guest's machine is on. One that is off, or not there, uses nothing.
rpc::guest_metrics_response measure(hypervisor& of, const rpc::guest_metrics_request& request, const char* type,
                                    const measurement& f) {
  expect_uuid(request.guest.id);
  const auto connection = of.connect();
  const auto machine = find_machine(connection.get(), request.guest).ours;
  rpc::guest_metrics_response answer{request.guest, type};
  try {
    if (machine && must(virDomainIsActive(machine.get())) == 1)
      f(machine.get(), answer);
  } catch (const hypervisor_error&) {
    if (virDomainIsActive(machine.get()) == 1)
      throw;
    return {request.guest, type}; // it went off meanwhile
  }
  return answer;
}

domain_shape live_shape(virDomainPtr d) {
  return read_domain(current_xml(d));
}

std::vector<virVcpuInfo> virtual_cpus(virDomainPtr d, int count) {
  std::vector<virVcpuInfo> cpus(static_cast<std::size_t>(count));
  const int filled = must(virDomainGetVcpus(d, cpus.data(), count, nullptr, 0));
  cpus.resize(static_cast<std::size_t>(filled));
  return cpus;
}

struct counter {
  const char* name;
  std::int64_t rpc::guest_disk_metrics::*ticks;
};
struct stopwatch {
  const char* name;
  double rpc::guest_disk_metrics::*time;
};

constexpr std::array counters{
  counter{VIR_DOMAIN_BLOCK_STATS_READ_REQ, &rpc::guest_disk_metrics::read_ops},
  counter{VIR_DOMAIN_BLOCK_STATS_READ_BYTES, &rpc::guest_disk_metrics::read_bytes},
  counter{VIR_DOMAIN_BLOCK_STATS_WRITE_REQ, &rpc::guest_disk_metrics::write_ops},
  counter{VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, &rpc::guest_disk_metrics::write_bytes},
  counter{VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ, &rpc::guest_disk_metrics::flush_ops},
};
constexpr std::array stopwatches{
  stopwatch{VIR_DOMAIN_BLOCK_STATS_READ_TOTAL_TIMES, &rpc::guest_disk_metrics::read_time},
  stopwatch{VIR_DOMAIN_BLOCK_STATS_WRITE_TOTAL_TIMES, &rpc::guest_disk_metrics::write_time},
  stopwatch{VIR_DOMAIN_BLOCK_STATS_FLUSH_TOTAL_TIMES, &rpc::guest_disk_metrics::flush_time},
};

void take(rpc::guest_disk_metrics& to, const virTypedParameter& figure) {
  if (figure.type != VIR_TYPED_PARAM_LLONG)
    return;
  for (const auto& [name, ticks] : counters)
    if (figure.field == std::string_view{name})
      to.*ticks = figure.value.l;
  for (const auto& [name, time] : stopwatches)
    if (figure.field == std::string_view{name})
      to.*time = seconds(std::int64_t{figure.value.l});
}

/// For drivers that know only the oldest figures, as libvirt's test driver.
rpc::guest_disk_metrics simple_disk_figures(virDomainPtr d, const std::string& device) {
  virDomainBlockStatsStruct figures{};
  must(virDomainBlockStats(d, device.c_str(), &figures, sizeof figures));
  rpc::guest_disk_metrics row{.disk = device};
  row.read_ops = figures.rd_req;
  row.read_bytes = figures.rd_bytes;
  row.write_ops = figures.wr_req;
  row.write_bytes = figures.wr_bytes;
  return row;
}

rpc::guest_disk_metrics disk_figures(virDomainPtr d, const std::string& device) {
  int count = 0;
  if (virDomainBlockStatsFlags(d, device.c_str(), nullptr, &count, 0) < 0) {
    if (virGetLastErrorCode() == VIR_ERR_NO_SUPPORT)
      return simple_disk_figures(d, device);
    throw_last_error();
  }
  std::vector<virTypedParameter> figures(static_cast<std::size_t>(count));
  must(virDomainBlockStatsFlags(d, device.c_str(), figures.data(), &count, 0));
  rpc::guest_disk_metrics row{.disk = device};
  for (int i = 0; i < count; ++i)
    take(row, figures[static_cast<std::size_t>(i)]);
  return row;
}

rpc::guest_nic_metrics nic_figures(virDomainPtr d, const std::string& name, const std::string& device) {
  virDomainInterfaceStatsStruct figures{};
  must(virDomainInterfaceStats(d, device.c_str(), &figures, sizeof figures));
  return {.name = name,
          .rx_bytes = figures.rx_bytes,
          .rx_packets = figures.rx_packets,
          .rx_errors = figures.rx_errs,
          .rx_drops = figures.rx_drop,
          .tx_bytes = figures.tx_bytes,
          .tx_packets = figures.tx_packets,
          .tx_errors = figures.tx_errs,
          .tx_drops = figures.tx_drop};
}

std::string nic_name(const rpc::guest& g, std::size_t index) {
  return index < g.nics.size() && !g.nics[index].name.empty() ? g.nics[index].name : "net" + std::to_string(index);
}

} // namespace

rpc::guest_metrics_response cpu_metrics(hypervisor& of, const rpc::guest_metrics_request& request) {
  return measure(of, request, "cpu", [](virDomainPtr d, rpc::guest_metrics_response& answer) {
    virDomainInfo info{};
    must(virDomainGetInfo(d, &info));
    double others = seconds(std::uint64_t{info.cpuTime});
    for (const auto& cpu : virtual_cpus(d, info.nrVirtCpu)) {
      answer.cpu.push_back({.vcpu_time = seconds(std::uint64_t{cpu.cpuTime})});
      others -= answer.cpu.back().vcpu_time;
    }
    for (auto& row : answer.cpu)
      row.cpu_time = row.vcpu_time + std::max(others, 0.0) / static_cast<double>(answer.cpu.size());
  });
}

rpc::guest_metrics_response disk_metrics(hypervisor& of, const rpc::guest_metrics_request& request) {
  return measure(of, request, "disk", [](virDomainPtr d, rpc::guest_metrics_response& answer) {
    for (const auto& disk : live_shape(d).disks)
      answer.disk[disk.device] = disk_figures(d, disk.device);
  });
}

rpc::guest_metrics_response nic_metrics(hypervisor& of, const rpc::guest_metrics_request& request) {
  return measure(of, request, "nic", [&](virDomainPtr d, rpc::guest_metrics_response& answer) {
    const auto nics = live_shape(d).nics;
    for (std::size_t i = 0; i < nics.size(); ++i) {
      const auto name = nic_name(request.guest, i);
      if (!nics[i].device.empty())
        answer.nic[name] = nic_figures(d, name, nics[i].device);
    }
  });
}

} // namespace mistify::agents
