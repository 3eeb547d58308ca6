#pragma once

#include <chrono>
#include <string_view>

namespace mistify::rpc {

/// Writes to stderr why the process ends. A reader of stderr that stalls does not keep the process: after a second the
/// rest of the text is lost. Allocates nothing.
void last_words(std::string_view text) noexcept;

/// The same as a line "PROGRAM: WHY".
void last_words(std::string_view program, std::string_view why) noexcept;

/// Writes `text` to the descriptor `fd` and returns true; returns false if that fails or takes longer than `most`. May block
/// longer only if another process writes to the same pipe at the same time.
bool write_within(int fd, std::string_view text, std::chrono::milliseconds most) noexcept;

} // namespace mistify::rpc
