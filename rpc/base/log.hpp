#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

/// The log of a process: one JSON object a line on stderr, with `time`, `level`, `msg` and whatever fields come along.
/// Thread-safe, and never blocks: lines are written by a thread of their own, and where a reader of stderr stalls, the
/// oldest are dropped.
namespace mistify::rpc::log {

using fields = std::initializer_list<std::pair<std::string_view, std::string>>;

/// Lines below the level are dropped. debug, info, warning, error, critical, fatal; false for any other word, and nothing
/// has changed.
bool set_level(std::string_view name);

/// The level, in the word it was set by; `warning` at first.
std::string_view level() noexcept;

bool is_level(std::string_view name) noexcept;

/// Whether debug lines are wanted: for those that are expensive to put together.
bool debugging() noexcept;

/// Writes what is still waiting, for a second at most. The end of a process by `exit` or from `main` does so itself.
void flush();

void debug(std::string_view message, fields extra = {});
void info(std::string_view message, fields extra = {});
void warning(std::string_view message, fields extra = {});
void error(std::string_view message, fields extra = {});

/// Who changed what, for the record: a line of the level `audit`, which no level keeps out of the log. Fields that are
/// empty are left out.
void audit(std::string_view message, fields extra = {});

/// Whether audit lines are written; they are at first.
void set_audit(bool wanted) noexcept;
bool auditing() noexcept;

} // namespace mistify::rpc::log
