#pragma once

#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The parts of a container that come from a guest's metadata. Each throws std::invalid_argument that names the field.
namespace mistify::agents::container {

/// One published port.
struct port_plan {
  std::string port;    ///< in the container, with the protocol: "80/tcp"
  std::string address; ///< of the host; "": all
  std::string host_port;
};

std::vector<std::string> command_of(const rpc::guest& g);
/// NAME=VALUE, sorted by name.
std::vector<std::string> environment_of(const rpc::guest& g);
std::vector<port_plan> ports_of(const rpc::guest& g);
/// The capabilities that the guest asks for.
std::vector<std::string> capabilities_of(const rpc::guest& g);
bool wants_read_only_root(const rpc::guest& g);

/// Throws std::invalid_argument ("FIELD: REASON").
[[noreturn]] void refuse_field(std::string_view field, std::string_view reason);

void write_texts(rpc::json::writer& to, const std::vector<std::string>& texts);

} // namespace mistify::agents::container
