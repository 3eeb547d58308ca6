#pragma once

#include "http/cli/mistify/command.hpp"

#include <string>
#include <string_view>

/// Bodies of requests from options.
namespace mistify::cli {

/// The guest to create: the members of `file` (JSON text; "" without --file), which options beat; labels and metadata add to theirs.
/// `user_data` is the text of --user-data. Throws `give_up{usage}`.
std::string create_body(const arguments& args, const std::string& file, const std::string& user_data);

/// The adoption of the domain with that UUID. Throws `give_up{usage}`.
std::string adopt_body(const arguments& args, const std::string& id);

/// The PATCH of a guest. "K=V" sets a label, "K-" removes it. Throws `give_up{usage}` where nothing is to change.
std::string update_body(const arguments& args, const std::string& file);

/// What is attached, and the new size of a disk: of the arguments DISK, NETWORK and MB, and their options. Throw
/// `give_up{usage}`.
std::string attach_disk_body(const arguments& args);
std::string attach_nic_body(const arguments& args);
std::string resize_body(const arguments& args);

} // namespace mistify::cli
