#include "rpc/agents/libvirt/libvirt_agent.hpp"

#include "rpc/agents/libvirt/host_info.hpp"
#include "rpc/agents/libvirt/metrics.hpp"

namespace mistify::agents {

namespace {

machine_rules rules_of(const libvirt_settings& settings) {
  return {disk_places{settings.places}, parse_vnc_ports(settings.vnc_ports), settings.user_network};
}

} // namespace

libvirt_agent::libvirt_agent(const rpc::listen_at& where, const libvirt_settings& settings)
  : hypervisor_{settings.uri}, machines_{hypervisor_, settings.consoles, rules_of(settings)}, server_{where} {
  if (!settings.agent.url.empty())
    reporter_.emplace(hypervisor_, settings.agent);
  serve_guests();
  serve_pending();
  serve_metrics();
  serve_host();
}

void libvirt_agent::serve_guests() {
  using method = rpc::guest_response (machines::*)(const rpc::guest_request&);
  const std::pair<const char*, method> methods[] = {
    {"CreateGuest", &machines::create},
    {"Create", &machines::create_and_run},
    {"Run", &machines::run},
    {"Reboot", &machines::reboot},
    {"Restart", &machines::restart},
    {"Shutdown", &machines::shutdown},
    {"Poweroff", &machines::poweroff},
    {"Suspend", &machines::suspend},
    {"Delete", &machines::remove},
    {"Status", &machines::status},
    {"Update", &machines::update},
    {"AttachDisk", &machines::attach_disk},
    {"DetachDisk", &machines::detach_disk},
    {"ResizeDisk", &machines::resize_disk},
    {"AttachNic", &machines::attach_nic},
    {"DetachNic", &machines::detach_nic},
  };
  for (const auto& [name, m] : methods)
    server_.handle<rpc::guest_request, rpc::guest_response>(
      std::string{"Libvirt."} + name,
      [this, m = m](const rpc::guest_request& request) { return (machines_.*m)(request); });
}

void libvirt_agent::serve_pending() {
  server_.handle<rpc::guest_request, pending_list>(
    "Libvirt.Pending", [this](const rpc::guest_request& request) { return pending_list{machines_.pending(request)}; });
}

void libvirt_agent::serve_metrics() {
  const std::pair<const char*, decltype(&cpu_metrics)> methods[] = {
    {"CPUMetrics", cpu_metrics}, {"DiskMetrics", disk_metrics}, {"NicMetrics", nic_metrics}};
  for (const auto& [name, m] : methods)
    server_.handle<rpc::guest_metrics_request, rpc::guest_metrics_response>(
      std::string{"Libvirt."} + name,
      [this, m = m](const rpc::guest_metrics_request& request) { return m(hypervisor_, request); });
}

void libvirt_agent::serve_host() {
  server_.handle<rpc::host_request, rpc::host_response>("Libvirt.HostInfo", [this](const rpc::host_request&) {
    const auto connection = hypervisor_.connect();
    return rpc::host_response{read_host_info(connection.get())};
  });
}

} // namespace mistify::agents
