#include "rpc/agents/container/container_spec.hpp"

#include "rpc/agents/container/container_facts.hpp"
#include "rpc/agents/container/spec_parts.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/base/text.hpp"
#include "rpc/fetch/sha256.hpp"
#include "rpc/images/store_file.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace mistify::agents::container {

namespace {

using rpc::json::writer;

constexpr std::uint64_t megabyte = 1024 * 1024;
constexpr std::uint64_t most_memory = std::uint64_t{1} << 30; ///< MB
constexpr std::uint64_t most_processors = 65536;
constexpr std::int64_t nano_cpus = 1'000'000'000;
constexpr std::int64_t stop_seconds = 10;
constexpr std::int64_t most_processes = 1024;
constexpr const char* log_size = "16m";

std::string indexed(const char* list, std::size_t index) {
  return list + ("[" + std::to_string(index) + ']');
}

// -- networks --------------------------------------------------------------------------------------------------------

/// As both engines name networks. Their other modes (container:ID, ns:PATH, slirp4netns:…) have a colon, or are no network
/// that the engine lists.
bool is_network_name(std::string_view name) {
  constexpr std::size_t longest = 128;
  const auto is_alnum = [](char c) {
    return rpc::text::is_digit(c) || (rpc::text::lower(c) >= 'a' && rpc::text::lower(c) <= 'z');
  };
  return !name.empty() && name.size() <= longest && is_alnum(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; });
}

void expect_nic(const rpc::nic& n, const std::string& field, const container_rules& rules, std::size_t count) {
  if (n.network.empty())
    refuse_field(field + ".network", "must name a network of the engine");
  if (!is_network_name(n.network))
    refuse_field(field + ".network", "is no name of a network");
  if (n.network == "host" && !rules.host_network)
    refuse_field(field + ".network", "the host's network needs --host-network");
  if ((n.network == "host" || n.network == "none") && count > 1)
    refuse_field(field + ".network", n.network + " can only be the only nic");
  if (n.vlans && !n.vlans->empty())
    refuse_field(field + ".vlans", "containers have none");
  for (const auto* text : {&n.mac, &n.address})
    if (rpc::has_control(*text))
      refuse_field(field, "has control characters");
}

std::string endpoint_of(const rpc::nic& n) {
  writer w;
  w.begin_object();
  if (!n.address.empty())
    w.key("IPAMConfig").begin_object().key("IPv4Address").value(n.address).end_object();
  if (!n.mac.empty())
    w.key("MacAddress").value(n.mac);
  w.end_object();
  return std::move(w).str();
}

bool is_engines(const std::string& network) {
  return network != "none" && network != "host";
}

void plan_networks(const rpc::guest& g, const container_rules& rules, container_plan& plan) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < g.nics.size(); ++i) {
    const auto& n = g.nics[i];
    const auto field = indexed("nics", i);
    expect_nic(n, field, rules, g.nics.size());
    if (!seen.insert(n.network).second)
      refuse_field(field + ".network", "another nic is on it");
    if (is_engines(n.network))
      plan.networks.push_back(n.network);
    if (i > 0)
      plan.more_networks.push_back({n.network, endpoint_of(n)});
  }
}

// -- disks -----------------------------------------------------------------------------------------------------------

void expect_mount_point(const std::string& path, const std::string& field) {
  const std::filesystem::path target{path};
  constexpr std::size_t longest = 255;
  if (path.size() > longest || rpc::has_control(path) || path.find_first_of(":,") != path.npos ||
      target.lexically_normal().string() != path || !target.has_relative_path() || path.ends_with('/'))
    refuse_field(field, "is no path to mount a volume at");
  const auto first = target.begin() == target.end() ? std::string{} : std::next(target.begin())->string();
  if (first == "proc" || first == "sys" || first == "dev")
    refuse_field(field, "is the kernel's");
}

/// The file behind a source, which has to lie in the media.
std::string media_file(const std::string& source, const std::string& field, const container_rules& rules) {
  if (rules.media.empty())
    refuse_field(field, "a container's disk has none, unless it is a file in a folder of --media");
  if (source.find_first_of(",\"") != source.npos || rpc::has_control(source)) // podman makes a list with commas of it
    refuse_field(field, "has a character that no medium may have in its name");
  std::vector<images::store_root> roots;
  for (const auto& folder : rules.media)
    roots.push_back({folder, false});
  try {
    return images::open_in_store(source, roots).path.string();
  } catch (const std::exception& e) {
    refuse_field(field, e.what());
  }
}

void write_disk(writer& w, const rpc::guest& g, std::size_t i, const container_rules& rules, container_plan& plan) {
  const auto& d = g.disks[i];
  const auto field = indexed("disks", i), volume = volume_name(g.id, i);
  if (!d.image.empty())
    refuse_field(field + ".image", "a container's disk has none");
  if (!d.volume.empty() && d.volume != volume)
    refuse_field(field + ".volume", "is not this disk's: " + volume);
  const auto target = mount_point_of(d, i);
  expect_mount_point(target, field + ".device");
  w.begin_object().key("Target").value(target);
  if (d.source.empty()) {
    w.key("Type").value("volume").key("Source").value(volume);
    plan.volumes.push_back({volume, rules.volume_sizes ? d.size : 0});
  } else {
    w.key("Type").value("bind").key("Source").value(media_file(d.source, field + ".source", rules));
    w.key("ReadOnly").value(true);
  }
  w.end_object();
}

void write_disks(writer& w, const rpc::guest& g, const container_rules& rules, container_plan& plan) {
  std::set<std::string> targets;
  w.begin_array();
  for (std::size_t i = 0; i < g.disks.size(); ++i) {
    if (!targets.insert(mount_point_of(g.disks[i], i)).second)
      refuse_field(indexed("disks", i) + ".device", "another disk is mounted there");
    write_disk(w, g, i, rules, plan);
  }
  w.end_array();
}

// -- the container ---------------------------------------------------------------------------------------------------

void write_ports(writer& w, const std::vector<port_plan>& ports) {
  w.begin_object();
  for (const auto& p : ports) {
    w.key(p.port).begin_array().begin_object();
    w.key("HostIp").value(p.address).key("HostPort").value(p.host_port);
    w.end_object().end_array();
  }
  w.end_object();
}

void write_limits(writer& w, const rpc::guest& g) {
  if (g.memory > most_memory)
    refuse_field("memory", "is more than any host has");
  if (g.cpu > most_processors)
    refuse_field("cpu", "is more than any host has");
  if (g.memory > 0) // and no swap beside it
    w.key("Memory").value(g.memory * megabyte).key("MemorySwap").value(g.memory * megabyte);
  if (g.cpu > 0)
    w.key("NanoCpus").value(static_cast<std::int64_t>(g.cpu) * nano_cpus);
  w.key("PidsLimit").value(most_processes);
}

void write_rights(writer& w, const rpc::guest& g) {
  w.key("CapDrop").begin_array().value("ALL").end_array();
  w.key("CapAdd");
  write_texts(w, capabilities_of(g));
  w.key("SecurityOpt").begin_array().value("no-new-privileges").end_array();
  if (wants_read_only_root(g)) {
    w.key("ReadonlyRootfs").value(true);
    w.key("Tmpfs").begin_object().key("/tmp").value("").key("/run").value("").end_object();
  }
}

void write_host_config(writer& w, const rpc::guest& g, const container_rules& rules, container_plan& plan) {
  w.begin_object();
  w.key("NetworkMode").value(g.nics.empty() ? "none" : g.nics[0].network);
  w.key("PortBindings");
  write_ports(w, ports_of(g));
  write_limits(w, g);
  write_rights(w, g);
  w.key("RestartPolicy").begin_object().key("Name").value("no").end_object();
  w.key("LogConfig").begin_object().key("Type").value("json-file");
  w.key("Config").begin_object().key("max-size").value(log_size).end_object().end_object();
  w.key("Mounts");
  write_disks(w, g, rules, plan);
  w.end_object();
}

/// Podman knows its default network by the name `bridge` as a mode only.
void write_networking(writer& w, const rpc::guest& g) {
  w.begin_object().key("EndpointsConfig").begin_object();
  if (!g.nics.empty() && is_engines(g.nics[0].network) && endpoint_of(g.nics[0]) != "{}")
    w.key(g.nics[0].network).raw(endpoint_of(g.nics[0]));
  w.end_object().end_object();
}

void expect_ports_have_a_nic(const rpc::guest& g) {
  const auto ports = ports_of(g);
  if (!ports.empty() && (g.nics.empty() || !is_engines(g.nics[0].network)))
    refuse_field("metadata.container.port." + ports[0].port, "ports need a nic on a network of the engine");
}

void write_rest(writer& w, const rpc::guest& g, const container_rules& rules, container_plan& plan) {
  if (const auto command = command_of(g); !command.empty()) {
    w.key("Cmd");
    write_texts(w, command);
  }
  w.key("Env");
  write_texts(w, environment_of(g));
  w.key("StopTimeout").value(stop_seconds);
  w.key("ExposedPorts").begin_object();
  for (const auto& p : ports_of(g))
    w.key(p.port).begin_object().end_object();
  w.end_object();
  w.key("HostConfig");
  write_host_config(w, g, rules, plan);
  w.key("NetworkingConfig");
  write_networking(w, g);
}

} // namespace

std::string volume_name(const std::string& guest, std::size_t index) {
  return guest + '-' + std::to_string(index);
}

std::string mount_point_of(const rpc::disk& d, std::size_t index) {
  return d.device.starts_with('/') ? d.device : "/disk-" + std::to_string(index);
}

container_plan plan_container(const rpc::guest& g, const std::string& image, const container_rules& rules) {
  if (g.image.empty())
    refuse_field("image", "a container needs one");
  container_plan plan;
  plan_networks(g, rules, plan);
  expect_ports_have_a_nic(g);

  writer shape; // what makes two containers the same, whatever the engine's name of the image is by now
  shape.begin_object().key("Image").value(g.image);
  write_rest(shape, g, rules, plan);
  shape.end_object();
  fetching::sha256 sum;
  sum.add(shape.str());
  for (const auto& more : plan.more_networks)
    sum.add(more.name + more.body);

  plan.shape = sum.hex();
  plan.volumes.clear();
  writer body;
  body.begin_object().key("Image").value(image);
  body.key("Labels").begin_object().key(guest_label).value(g.id).key(shape_label).value(plan.shape).end_object();
  write_rest(body, g, rules, plan);
  body.end_object();
  plan.body = std::move(body).str();
  return plan;
}

} // namespace mistify::agents::container
