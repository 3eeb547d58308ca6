#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

/// The log of a process: one JSON object a line on stderr, with `time`, `level`, `msg` and any extra fields.
/// Thread-safe. Never blocks: a thread of its own writes the lines, and if a reader of stderr stalls, the oldest
/// lines are dropped.
namespace mistify::rpc::log {

using fields = std::initializer_list<std::pair<std::string_view, std::string>>;

/// Sets the level below which lines are dropped: debug, info, warning, error, critical, fatal. Returns false for any
/// other word and changes nothing.
bool set_level(std::string_view name);

/// Returns the level by the name it was set with; initially `warning`.
std::string_view level() noexcept;

bool is_level(std::string_view name) noexcept;

/// True if debug lines are logged. Avoids the cost of building expensive ones.
bool debugging() noexcept;

/// Writes the waiting lines, for at most a second. `exit` and the return from `main` do so too.
void flush();

void debug(std::string_view message, fields extra = {});
void info(std::string_view message, fields extra = {});
void warning(std::string_view message, fields extra = {});
void error(std::string_view message, fields extra = {});

/// Records who changed what: a line of the level `audit`, which no level drops. Empty fields are omitted.
void audit(std::string_view message, fields extra = {});

/// Whether audit lines are written; initially true.
void set_audit(bool wanted) noexcept;
bool auditing() noexcept;

} // namespace mistify::rpc::log
