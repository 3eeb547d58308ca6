#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mistify::actors {

/// Files of a config: name and text, in the order in which they count.
using config_texts = std::vector<std::pair<std::string, std::string>>;

/// The files as one JSON object with sorted keys, merged as the agent reads them: of members that two files have the later
/// one counts, objects are joined, `http.listen` and `http.names` add up. Members whose names speak of a password, a secret
/// or a token are left out, and so are credentials in URLs. The texts must be valid. Throws `failure{config_invalid}`.
std::string merge_config(const config_texts& files);

/// Names of the members ("limits.queue", "services.libvirt.port") in which two merged configs differ.
std::vector<std::string> config_differences(std::string_view before, std::string_view after);

} // namespace mistify::actors
