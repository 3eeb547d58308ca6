#include "rpc/agents/libvirt/claims.hpp"
#include "rpc/agents/libvirt/defaults.hpp"
#include "rpc/agents/libvirt/domain_builder.hpp"
#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/agents/libvirt/domain_xml.hpp"
#include "rpc/agents/libvirt/guest_text.hpp"
#include "rpc/agents/libvirt/machines.hpp"
#include "rpc/model/cloud_init.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

// Machines of new guests.
namespace mistify::agents {

namespace {

std::string field(const char* list, std::size_t index) {
  return list + ("[" + std::to_string(index) + ']');
}

void expect_networks(const rpc::guest& g, const machine_rules& rules) {
  for (std::size_t i = 0; i < g.nics.size(); ++i)
    if (g.nics[i].network.empty() && !rules.user_network)
      throw std::invalid_argument{field("nics", i) + ".network: " + no_user_network};
}

std::string boot_file(const rpc::guest& g, const char* key, const disk_places& places) {
  const auto named = g.metadata.find(key);
  if (named == g.metadata.end() || named->second.empty())
    return {};
  return places.find_media(named->second, std::string{"metadata."} + key);
}

/// Of a guest with `cloud_init`; others have none, whatever lies there of an earlier one.
std::optional<placed_disk> seed_for(const rpc::guest& g, const disk_places& places) {
  if (!rpc::has_cloud_init(g))
    return std::nullopt;
  auto seed = places.find_seed(g.id);
  if (!seed)
    throw std::invalid_argument{"cloud_init: no seed seeds/" + g.id +
                                ".iso is in a store: the stage ImageStore.CreateSeed of the create makes it"};
  return seed;
}

} // namespace

rpc::guest_response machines::create(const rpc::guest_request& request) {
  auto g = request.guest;
  expect_uuid(g.id);
  settle_defaults(g);
  expect_plain_text(g);
  expect_networks(g, rules_);
  expect_vnc(g, rules_.vnc_ports);
  const auto turn = hypervisor_.turns().take(g.id);
  const auto connection = hypervisor_.connect();
  define(connection.get(), g, request.args);
  const auto made = need_domain(connection.get(), g);
  return answer(std::move(g), made.get());
}

rpc::guest_response machines::create_and_run(const rpc::guest_request& request) {
  auto started = request;
  started.guest = create(request).guest;
  return run(started);
}

void machines::define(virConnectPtr c, rpc::guest& g, const rpc::metadata_map& args) {
  auto made = plan(g);
  std::unique_lock claim{claims_, std::defer_lock};
  if (g.vnc != 0 || std::ranges::any_of(made.disks, &placed_disk::is_shared))
    claim.lock();
  const auto there = find_ours(find_machine(c, g));
  if (there && rpc::is_adopted(g))
    throw std::runtime_error{"conflict: a domain that was adopted has this UUID, " +
                             left_alone(virDomainGetName(there.get()))};
  take_claims(c, g, there.get(), made);
  const auto xml = build_domain_xml(g, made, with_wish(look_at_host(c), args), console_log(g.id));
  if (there) {
    const auto other = difference(read_domain(xml), read_domain(defined_xml(there.get())));
    if (!other.empty())
      throw std::invalid_argument{"the domain exists already, with other " + other};
    return;
  }
  domain_ptr{must(virDomainDefineXML(c, xml.c_str()))};
}

/// Also tells the guest which format its disks have.
machine_plan machines::plan(rpc::guest& g) const {
  machine_plan made{.disks = {},
                    .seed = seed_for(g, rules_.places),
                    .kernel = boot_file(g, "boot.kernel", rules_.places),
                    .initrd = boot_file(g, "boot.initrd", rules_.places),
                    .vnc_password = vnc_password(g)};
  for (std::size_t i = 0; i < g.disks.size(); ++i) {
    made.disks.push_back(rules_.places.find(g.disks[i], g.id, field("disks", i)));
    g.disks[i].extra["format"] = '"' + std::string{made.disks.back().format()} + '"';
  }
  return made;
}

/// A machine that is there keeps its port.
void machines::take_claims(virConnectPtr c, const rpc::guest& g, virDomainPtr there, machine_plan& made) const {
  for (const auto& disk : made.disks)
    if (disk.is_shared)
      expect_free_disk(c, disk.chain.front().path, g.id, among::all);
  made.vnc_port = g.vnc;
  if (g.vnc == 0)
    return;
  const auto kept = there ? read_domain(defined_xml(there)).vnc : 0;
  if (g.vnc == any_vnc_port)
    made.vnc_port = rules_.vnc_ports.holds(kept) ? kept : free_vnc_port(c, rules_.vnc_ports, g.id);
  else if (!there)
    expect_free_vnc_port(c, g.vnc, g.id, among::all);
}

} // namespace mistify::agents
