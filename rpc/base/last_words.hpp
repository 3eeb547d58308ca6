#pragma once

#include <chrono>
#include <string_view>

namespace mistify::rpc {

/// Writes to stderr why the process ends. A reader of stderr that stalls does not keep the process: after a second the
/// rest of the text is lost. Allocates nothing.
void last_words(std::string_view text) noexcept;

/// The same as a line "PROGRAM: WHY".
void last_words(std::string_view program, std::string_view why) noexcept;

/// Writes to a descriptor for at most `most`, whatever its reader does. Returns false if not all of `text` was written.
/// Another writer of the same pipe may still hold it up.
bool write_within(int fd, std::string_view text, std::chrono::milliseconds most) noexcept;

} // namespace mistify::rpc
