#pragma once

#include "rpc/base/json.hpp"

#include <string>

namespace mistify::cli {

/// YAML 1.2 in block style. Texts are always quoted, so that none reads as a number or as "yes"; keys where they need to.
std::string to_yaml(const rpc::json::node& value);

} // namespace mistify::cli
