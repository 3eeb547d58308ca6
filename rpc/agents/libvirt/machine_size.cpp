#include "rpc/agents/libvirt/machine_size.hpp"

#include "rpc/agents/libvirt/handles.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mistify::agents {

namespace {

using pugi::xml_node;

constexpr std::uint64_t kb_in_mb = 1024;

/// A guest has a processor at least.
std::uint64_t wanted_processors(const rpc::guest& g) {
  return std::max<std::uint64_t>(g.cpu, 1);
}

void set_memory(xml_node domain, std::uint64_t megabytes) {
  if (domain.child("cpu").child("numa"))
    throw std::invalid_argument{"memory: the machine divides its memory among NUMA cells"};
  for (const auto* name : {"memory", "currentMemory"})
    if (auto element = domain.child(name)) {
      element.text() = std::to_string(megabytes).c_str();
      element.remove_attribute("unit");
      element.append_attribute("unit") = "MiB";
    }
}

void set_processors(xml_node domain, std::uint64_t count) {
  auto element = domain.child("vcpu");
  element.text() = std::to_string(count).c_str();
  element.remove_attribute("current");
}

void set_processors_live(virDomainPtr d, int wanted) {
  const auto most = must(virDomainGetMaxVcpus(d));
  const auto now = must(virDomainGetVcpusFlags(d, VIR_DOMAIN_AFFECT_LIVE));
  if (wanted == now)
    return;
  if (wanted > most || wanted < now)
    throw std::runtime_error{"the machine runs with " + std::to_string(now) + " processors, and at most " +
                             std::to_string(most)};
  must(virDomainSetVcpusFlags(d, static_cast<unsigned>(wanted), VIR_DOMAIN_AFFECT_LIVE));
}

} // namespace

std::uint64_t memory_of(xml_node domain) {
  const auto memory = domain.child("memory");
  const auto number = memory.text().as_ullong();
  return std::string_view{memory.attribute("unit").value()} == "MiB" ? number : number / kb_in_mb;
}

std::uint64_t processors_of(xml_node domain) {
  const auto cpus = domain.child("vcpu");
  const auto at_start = cpus.attribute("current").as_ullong();
  return at_start > 0 ? at_start : cpus.text().as_ullong();
}

void set_size(xml_node domain, const rpc::guest& g) {
  if (memory_of(domain) != g.memory)
    set_memory(domain, g.memory);
  if (processors_of(domain) != wanted_processors(g))
    set_processors(domain, wanted_processors(g));
}

void set_size_live(virDomainPtr d, const rpc::guest& g, named_sizes of) {
  if (of.memory && virDomainGetMaxMemory(d) / kb_in_mb != g.memory)
    throw std::runtime_error{"the memory of a machine that runs cannot change"};
  if (of.processors)
    set_processors_live(d, static_cast<int>(wanted_processors(g)));
}

} // namespace mistify::agents
