#include "rpc/agents/libvirt/libvirt_agent.hpp"

#include "rpc/agents/libvirt/host_info.hpp"
#include "rpc/agents/libvirt/metrics.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/folder_lock.hpp"

#include <libvirt/virterror.h>

#include <stdexcept>
#include <string_view>
#include <system_error>

namespace mistify::agents {

namespace {

machine_rules rules_of(const libvirt_settings& settings) {
  return {disk_places{settings.places}, parse_vnc_ports(settings.vnc_ports), settings.user_network};
}

/// The code that the agent's clients see beside the text.
rpc::errc code_of(const std::runtime_error& e) {
  const std::string_view text = e.what();
  if (text.starts_with("conflict: "))
    return rpc::errc::sub_agent_conflict;
  if (text == "not found")
    return rpc::errc::sub_agent_not_found;
  return text.starts_with("in use by ") ? rpc::errc::sub_agent_in_use : rpc::errc::sub_agent_failed;
}

rpc::errc code_of(const hypervisor_error& e) {
  switch (e.code()) {
  case VIR_ERR_NO_DOMAIN: return rpc::errc::sub_agent_not_found;
  case VIR_ERR_NO_MEMORY: return rpc::errc::sub_agent_no_memory;
  default: return rpc::errc::sub_agent_failed;
  }
}

rpc::unmanaged_response list_unmanaged(machines& of) {
  try {
    return of.list_unmanaged();
  } catch (const hypervisor_error& e) {
    throw rpc::failure{code_of(e), e.what()};
  } catch (const std::runtime_error& e) {
    throw rpc::failure{code_of(e), e.what()};
  }
}

/// A folder that cannot be used is no reason not to start: `known_guests` says so.
rpc::unique_fd locked(const std::filesystem::path& state) {
  if (state.empty())
    return {};
  try {
    std::filesystem::create_directories(state);
    return rpc::lock_folder(state);
  } catch (const std::system_error&) {
    return {};
  }
}

} // namespace

libvirt_agent::libvirt_agent(const rpc::listen_at& where, const libvirt_settings& settings)
  : lock_{locked(settings.state)}, hypervisor_{settings.uri}, machines_{hypervisor_, settings.consoles,
                                                                        rules_of(settings), *notes_},
    log_{settings.consoles, [this](const rpc::log_request& of) { return machines_.is_there(of.guest, of.adopted); }},
    server_{where} {
  if (!settings.agent.url.empty())
    reporter_.emplace(hypervisor_, settings.agent, notes_,
                      settings.state.empty() ? std::filesystem::path{}
                                             : std::filesystem::path{settings.state} / "guests");
  serve_guests();
  serve_pending();
  serve_unmanaged();
  serve_metrics();
  serve_host();
  server_.handle_http("/guests/log", [this](std::string_view body) { return log_.answer(body); });
}

/// Runs `work`, whose errors get codes. A guest whose machine is gone is reported as such, once its job has ended.
template <class Work>
auto libvirt_agent::with_codes(const rpc::guest_request& request, Work work) {
  try {
    return work();
  } catch (const hypervisor_error& e) {
    if (e.code() == VIR_ERR_NO_DOMAIN && reporter_)
      reporter_->note_missing(request.guest.id);
    throw rpc::failure{code_of(e), e.what()};
  } catch (const std::invalid_argument& e) {
    throw rpc::failure{rpc::errc::sub_agent_refused, e.what()};
  } catch (const std::runtime_error& e) {
    throw rpc::failure{code_of(e), e.what()};
  }
}

void libvirt_agent::serve_guests() {
  const std::pair<const char*, method> methods[] = {
    {"CreateGuest", &machines::create},
    {"Create", &machines::create_and_run},
    {"Run", &machines::run},
    {"Reboot", &machines::reboot},
    {"Restart", &machines::restart},
    {"Shutdown", &machines::shutdown},
    {"Poweroff", &machines::poweroff},
    {"Suspend", &machines::suspend},
    {"Resume", &machines::resume},
    {"Hibernate", &machines::hibernate},
    {"Delete", &machines::remove},
    {"Status", &machines::status},
    {"Update", &machines::update},
    {"AttachDisk", &machines::attach_disk},
    {"DetachDisk", &machines::detach_disk},
    {"ResizeDisk", &machines::resize_disk},
    {"AttachNic", &machines::attach_nic},
    {"DetachNic", &machines::detach_nic},
    {"Adopt", &machines::adopt},
  };
  for (const auto& [name, m] : methods)
    server_.handle<rpc::guest_request, rpc::guest_response>(
      std::string{"Libvirt."} + name, [this, m = m](const rpc::guest_request& request) {
        return with_codes(request, [&] { return (machines_.*m)(request); });
      });
}

void libvirt_agent::serve_pending() {
  server_.handle<rpc::guest_request, pending_list>("Libvirt.Pending", [this](const rpc::guest_request& request) {
    return with_codes(request, [&] { return pending_list{machines_.pending(request)}; });
  });
}

void libvirt_agent::serve_unmanaged() {
  server_.handle<rpc::unmanaged_request, rpc::unmanaged_response>(
    "Libvirt.ListUnmanaged", [this](const rpc::unmanaged_request&) { return list_unmanaged(machines_); });
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
