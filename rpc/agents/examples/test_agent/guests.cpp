#include "rpc/agents/examples/test_agent/guests.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>

namespace mistify::agents {

namespace {

struct rule {
  std::string_view action, machine, container;
};

/// The guest's state after an action, in the terms of the libvirt and the docker sub-agent.
constexpr std::array rules{
  rule{"create", "running", "running"},   rule{"delete", "shutoff", "deleted"},
  rule{"reboot", "running", "running"},   rule{"restart", "running", "running"},
  rule{"poweroff", "shutoff", "stopped"}, rule{"shutdown", "shutdown", "stopped"},
  rule{"start", "running", "running"},    rule{"suspend", "suspended", "paused"},
  rule{"resume", "running", "running"},   rule{"hibernate", "shutoff", "stopped"},
  rule{"adopt", "running", "running"},
};

bool is_container(const rpc::guest& g) {
  return g.type == "container";
}

std::string state_after(std::string_view action, const rpc::guest& g) {
  for (const auto& r : rules)
    if (r.action == action)
      return std::string{is_container(g) ? r.container : r.machine};
  throw std::invalid_argument{"invalid argument"};
}

std::string mac_of(unsigned guest, std::size_t nic) {
  char text[18];
  std::snprintf(text, sizeof text, "52:54:00:%02x:%02x:%02x", guest >> 8 & 0xff, guest & 0xff,
                static_cast<unsigned>(nic & 0xff));
  return text;
}

void fill(std::string& field, std::string value) {
  if (field.empty())
    field = std::move(value);
}

void equip_nics(rpc::guest& g, unsigned number) {
  for (std::size_t i = 0; i < g.nics.size(); ++i) {
    auto& nic = g.nics[i];
    fill(nic.name, "net" + std::to_string(i));
    fill(nic.model, "virtio");
    fill(nic.mac, mac_of(number, i));
    fill(nic.device, "vnet" + std::to_string(number) + '.' + std::to_string(i));
  }
}

void equip_disks(rpc::guest& g) {
  for (std::size_t i = 0; i < g.disks.size(); ++i) {
    auto& disk = g.disks[i];
    fill(disk.bus, "virtio");
    fill(disk.device, std::string{"vd"} + static_cast<char>('a' + i % 26));
    fill(disk.volume, "guests/" + g.id + "/disk-" + std::to_string(i));
    fill(disk.source, "/dev/zvol/" + disk.volume);
    if (disk.size == 0)
      disk.size = 1024;
  }
}

/// Adds what a hypervisor and an image store add to a new guest.
void equip(rpc::guest& g, unsigned number) {
  equip_nics(g, number);
  equip_disks(g);
  if (g.vnc == 0 && !is_container(g))
    g.vnc = 5900 + number;
}

std::int64_t rising(double seconds, double per_second) {
  return static_cast<std::int64_t>(seconds * per_second);
}

std::vector<rpc::guest_cpu_metrics> cpu_metrics(const rpc::guest& g, double seconds) {
  std::vector<rpc::guest_cpu_metrics> list;
  for (std::uint64_t i = 0; i < std::clamp<std::uint64_t>(g.cpu, 1, 256); ++i) {
    const double load = 0.3 / static_cast<double>(i + 1);
    list.push_back({.cpu_time = seconds * load, .vcpu_time = seconds * load * 0.9});
  }
  return list;
}

std::map<std::string, rpc::guest_disk_metrics> disk_metrics(const rpc::guest& g, double seconds) {
  std::map<std::string, rpc::guest_disk_metrics> map;
  for (const auto& disk : g.disks) {
    map[disk.device] = {.disk = disk.device,
                        .read_ops = rising(seconds, 40),
                        .read_bytes = rising(seconds, 40 * 8192),
                        .read_time = seconds * 0.02,
                        .write_ops = rising(seconds, 15),
                        .write_bytes = rising(seconds, 15 * 16384),
                        .write_time = seconds * 0.03,
                        .flush_ops = rising(seconds, 1),
                        .flush_time = seconds * 0.005};
  }
  return map;
}

std::map<std::string, rpc::guest_nic_metrics> nic_metrics(const rpc::guest& g, double seconds) {
  std::map<std::string, rpc::guest_nic_metrics> map;
  for (const auto& nic : g.nics) {
    const auto& name = nic.device.empty() ? nic.name : nic.device;
    map[name] = {.name = name,
                 .rx_bytes = rising(seconds, 120 * 900),
                 .rx_packets = rising(seconds, 120),
                 .rx_errors = 0,
                 .rx_drops = rising(seconds, 0.01),
                 .tx_bytes = rising(seconds, 80 * 400),
                 .tx_packets = rising(seconds, 80),
                 .tx_errors = 0,
                 .tx_drops = 0};
  }
  return map;
}

} // namespace

guests::guests(clock now) : now_{std::move(now)} {}

guests::record guests::known(const std::string& id) {
  if (id.empty())
    throw std::invalid_argument{"invalid argument"};
  std::lock_guard lock{mutex_};
  const auto [at, is_new] = records_.try_emplace(id, record{next_, now_()});
  next_ += is_new;
  return at->second;
}

rpc::guest_response guests::act(std::string_view action, const rpc::guest_request& request) {
  rpc::guest_response answer{request.guest};
  auto& g = answer.guest;
  g.state = state_after(action, g);
  const auto number = known(g.id).number;
  if (action == "create")
    equip(g, number);
  if (action == "delete") {
    std::lock_guard lock{mutex_};
    records_.erase(g.id);
  }
  return answer;
}

rpc::guest_metrics_response guests::metrics(std::string_view type, const rpc::guest_metrics_request& request) {
  const auto& g = request.guest;
  const double seconds = now_() - known(g.id).since;
  rpc::guest_metrics_response answer{g, std::string{type}};
  if (type == "cpu")
    answer.cpu = cpu_metrics(g, seconds);
  else if (type == "disk")
    answer.disk = disk_metrics(g, seconds);
  else
    answer.nic = nic_metrics(g, seconds);
  return answer;
}

} // namespace mistify::agents
