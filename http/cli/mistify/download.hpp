#pragma once

#include "http/cli/mistify/context.hpp"

#include <string>

namespace mistify::cli {

/// Which snapshot goes where.
struct wanted_download {
  std::string guest, snapshot;
  client::disk_number disk;
  std::string file; ///< "-": standard output
};

/// Writes the snapshot to a file: zeros become holes, and FILE is there only once it is whole; until then the bytes are in
/// FILE.part. A connection that breaks begins anew by itself while the agent is not away for longer than a restart takes;
/// a command that was ended begins anew when it is run again. Throws `client::failure` and `give_up`.
void download(context& cx, const wanted_download& what);

} // namespace mistify::cli
