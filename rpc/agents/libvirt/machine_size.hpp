#pragma once

#include "rpc/model/model.hpp"

#include <libvirt/libvirt.h>
#include <pugixml.hpp>

/// Memory and processors of a machine that is there.
namespace mistify::agents {

/// Memory in MB, rounded down, and the processors that the guest has at its start, as libvirt wrote them.
std::uint64_t memory_of(pugi::xml_node domain);
std::uint64_t processors_of(pugi::xml_node domain);

/// Makes a definition as large as the guest. What is so already stays as it is written: an adopted machine may have less
/// than the maximum it names, or memory that is no whole number of MB. Throws std::invalid_argument where memory is
/// divided among NUMA cells, whose sum counts.
void set_size(pugi::xml_node domain, const rpc::guest& g);

/// Which of the sizes a change names. What it does not name may wait for the next start already.
struct named_sizes {
  bool memory = false, processors = false;
};

/// The same for the machine that runs, and for the named sizes only. It was built with a maximum of processors, beyond
/// which only its next start helps; fewer would have to be given back by the guest, which few do. Throws
/// std::runtime_error for what it cannot, before anything has changed, and `hypervisor_error` for what libvirt refuses.
void set_size_live(virDomainPtr d, const rpc::guest& g, named_sizes of);

} // namespace mistify::agents
