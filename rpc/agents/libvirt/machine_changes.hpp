#pragma once

#include "rpc/agents/libvirt/handles.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/apply.hpp"
#include "rpc/model/messages.hpp"

#include <functional>
#include <pugixml.hpp>
#include <string>

/// What the changes of a machine that is there have in common.
namespace mistify::agents {

/// What is done to a machine.
struct machine_change {
  std::function<void(pugi::xml_node domain)> define = nullptr; ///< of its XML; null: the definition stays
  std::function<void(virDomainPtr)> live = nullptr;            ///< while it runs; throws where QEMU cannot
};

/// Changes the definition first, so that libvirt says at once what it cannot be; a live change that is refused takes it
/// back. Returns what is to be told. Throws std::invalid_argument if the change is to be live and the machine is off, and
/// what `what` throws.
std::string carry_out(virDomainPtr d, const machine_change& what, rpc::apply_when apply);

/// The request's params. Throws std::invalid_argument if there are none.
rpc::json::document params_of(const rpc::guest_request& request);

/// A text in them; empty if it is absent.
std::string text_in(const rpc::json::node& params, const char* member);

/// When the change is to take effect. Throws std::invalid_argument for what is none of its values.
rpc::apply_when apply_of(const rpc::json::node& params);

void append_xml(pugi::xml_node devices, const std::string& xml);

/// Finds a device by what names it; null if there is none.
using device_finder = pugi::xml_node (*)(pugi::xml_node devices, const std::string& key);

/// Takes the device off the machine that runs; nothing where it has none. The guest has to let go of it, which libvirt does
/// not wait for in full: throws std::runtime_error after 10 s.
void detach_live(virDomainPtr d, device_finder find, const std::string& key);

} // namespace mistify::agents
