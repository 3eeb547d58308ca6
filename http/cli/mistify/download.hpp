#pragma once

#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/sparse_writer.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace mistify::cli {

/// Which snapshot goes where.
struct wanted_download {
  std::string guest, snapshot;
  client::disk_number disk;
  std::string place; ///< of `download_place`; "": standard output
};

/// Writes the snapshot to a file: zeros become holes, and FILE is there only once it is whole; until then the bytes are in
/// FILE.part. A connection that breaks begins anew by itself, see `fill`; a command that was ended begins anew when it is
/// run again. Throws `client::failure` and `give_up`.
void download(context& cx, const wanted_download& what);

/// Requests the bytes once, from the first one on. Throws `client::failure`.
using download_attempt = std::function<void(const client::byte_receiver& to)>;

/// The clock, and how to let time pass.
struct download_time {
  std::function<std::chrono::steady_clock::time_point()> now;
  std::function<void(std::chrono::milliseconds)> pause;
};

/// Makes attempts until one is whole, as long as they get further: gives up after `client::outage` without a byte that no
/// earlier attempt had. Throws the failure of the last attempt, and `give_up`.
void fill(sparse_writer& file, const download_attempt& attempt, const download_time& time);

} // namespace mistify::cli
