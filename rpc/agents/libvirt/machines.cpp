#include "rpc/agents/libvirt/machines.hpp"

#include "rpc/agents/libvirt/defaults.hpp"
#include "rpc/agents/libvirt/domain_builder.hpp"
#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/agents/libvirt/states.hpp"

#include <libvirt/virterror.h>

#include <algorithm>

namespace mistify::agents {

namespace {

domain_shape shape_of(virDomainPtr d, unsigned flags = 0) {
  const text_ptr xml{must(virDomainGetXMLDesc(d, flags))};
  return read_domain(xml.get());
}

rpc::guest_response answer(rpc::guest g, virDomainPtr d) {
  fill_in(g, shape_of(d));
  g.state = state_name(d);
  return {std::move(g)};
}

bool is_off(virDomainPtr d) {
  return must(virDomainIsActive(d)) == 0;
}

/// It may go off by itself in the same moment, which is just as well.
void destroy(virDomainPtr d) {
  if (is_off(d) || virDomainDestroy(d) == 0)
    return;
  const hypervisor_error refusal{virGetLastErrorCode(), virGetLastErrorMessage()};
  if (!is_off(d))
    throw refusal;
}

/// With all that libvirt keeps of a domain, as far as its driver knows such things.
void undefine(virDomainPtr d) {
  constexpr unsigned all = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                           VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM;
  if (virDomainUndefineFlags(d, all) < 0)
    must(virDomainUndefine(d));
}

void start(virDomainPtr d) {
  switch (state_of(d)) {
  case VIR_DOMAIN_RUNNING:
  case VIR_DOMAIN_BLOCKED: return;
  case VIR_DOMAIN_PAUSED: must(virDomainResume(d)); return;
  case VIR_DOMAIN_PMSUSPENDED: must(virDomainPMWakeup(d, 0)); return;
  default: must(virDomainCreate(d));
  }
}

void reset(virDomainPtr d) {
  must(virDomainReset(d, 0));
  if (state_of(d) == VIR_DOMAIN_PAUSED)
    must(virDomainResume(d));
}

void press_power_button(virDomainPtr d) {
  if (!is_off(d) && state_of(d) != VIR_DOMAIN_SHUTDOWN)
    must(virDomainShutdown(d));
}

void pause(virDomainPtr d) {
  if (state_of(d) != VIR_DOMAIN_PAUSED)
    must(virDomainSuspend(d));
}

} // namespace

void expect_uuid(const std::string& id) {
  const auto fits = [&](std::size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23 ? id[i] == '-' : std::isxdigit(static_cast<unsigned char>(id[i]));
  };
  bool is_uuid = id.size() == 36;
  for (std::size_t i = 0; is_uuid && i < id.size(); ++i)
    is_uuid = fits(i);
  if (!is_uuid)
    throw std::invalid_argument{"invalid argument: the guest's id must be a UUID"};
}

domain_ptr need_domain(virConnectPtr c, const std::string& id) {
  auto domain = find_domain(c, id);
  if (!domain)
    throw hypervisor_error{VIR_ERR_NO_DOMAIN, "no domain " + id};
  return domain;
}

machines::machines(hypervisor& where, std::filesystem::path consoles, media_folders media)
  : hypervisor_{where}, consoles_{std::move(consoles)}, media_{std::move(media)} {
  // Where that fails, libvirt says so at a guest's start; with the test driver nothing is written there at all.
  std::error_code ignored;
  std::filesystem::create_directories(consoles_, ignored);
}

rpc::guest_response machines::act(const rpc::guest_request& request, const change& what) {
  const auto& id = request.guest.id;
  expect_uuid(id);
  const auto turn = locks_.take(id);
  const auto connection = hypervisor_.connect();
  const auto domain = need_domain(connection.get(), id);
  what(domain.get());
  return answer(request.guest, domain.get());
}

rpc::guest_response machines::create(const rpc::guest_request& request) {
  auto g = request.guest;
  expect_uuid(g.id);
  settle_defaults(g);
  media_.expect(g);
  const auto turn = locks_.take(g.id);
  const auto connection = hypervisor_.connect();
  define(connection.get(), g, request.args);
  return answer(std::move(g), need_domain(connection.get(), request.guest.id).get());
}

void machines::define(virConnectPtr c, const rpc::guest& g, const rpc::metadata_map& args) {
  const auto xml = build_domain_xml(g, with_wish(look_at_host(c), args), console_log(g.id));
  if (const auto there = find_domain(c, g.id)) {
    const auto other = difference(read_domain(xml), shape_of(there.get(), VIR_DOMAIN_XML_INACTIVE));
    if (!other.empty())
      throw std::invalid_argument{"the domain exists already, with other " + other};
    return;
  }
  domain_ptr{must(virDomainDefineXML(c, xml.c_str()))};
}

rpc::guest_response machines::run(const rpc::guest_request& request) {
  return act(request, start);
}

rpc::guest_response machines::reboot(const rpc::guest_request& request) {
  return act(request, [](virDomainPtr d) { must(virDomainReboot(d, 0)); });
}

rpc::guest_response machines::restart(const rpc::guest_request& request) {
  return act(request, reset);
}

rpc::guest_response machines::shutdown(const rpc::guest_request& request) {
  return act(request, press_power_button);
}

rpc::guest_response machines::poweroff(const rpc::guest_request& request) {
  return act(request, destroy);
}

rpc::guest_response machines::suspend(const rpc::guest_request& request) {
  return act(request, pause);
}

rpc::guest_response machines::status(const rpc::guest_request& request) {
  return act(request, [](virDomainPtr) {});
}

rpc::guest_response machines::remove(const rpc::guest_request& request) {
  rpc::guest_response gone{request.guest};
  expect_uuid(gone.guest.id);
  const auto turn = locks_.take(gone.guest.id);
  const auto connection = hypervisor_.connect();
  if (const auto domain = find_domain(connection.get(), gone.guest.id)) {
    destroy(domain.get());
    undefine(domain.get());
  }
  forget_console(gone.guest.id);
  gone.guest.state = "shutoff";
  gone.guest.vnc = 0;
  return gone;
}

std::string machines::console_log(const std::string& id) const {
  return consoles_ / (id + ".log");
}

/// Beside the log there may be ID.log.0 and so on: virtlogd rotates. That they cannot be removed is no reason to keep
/// the guest.
void machines::forget_console(const std::string& id) const {
  std::error_code ignored;
  const auto log = console_log(id);
  std::filesystem::remove(log, ignored);
  for (int i = 0; std::filesystem::remove(log + '.' + std::to_string(i), ignored); ++i) {
  }
}

} // namespace mistify::agents
