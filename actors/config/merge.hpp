#pragma once

#include "actors/config/config_files.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace mistify::actors {

/// The files as one JSON object with sorted keys, merged as the agent reads them: of members that two files have the later
/// one counts, objects are joined, `http.listen` and `http.names` add up. Members whose names speak of a password, a secret
/// or a token are left out, and so are credentials in URLs. The texts must be valid. Throws `failure{config_invalid}`.
std::string merge_config(const config_texts& files);

/// Names of the members ("limits.queue", "services.libvirt.port") in which two merged configs differ.
std::vector<std::string> config_differences(std::string_view before, std::string_view after);

} // namespace mistify::actors
