#pragma once

#include <string>

namespace mistify::store {

/// The name of a database: random, made with its schema, the same for as long as the file lives. The journal has to
/// have opened the file before. Throws `failure{storage_failed}`.
std::string instance_of(const std::string& path);

} // namespace mistify::store
