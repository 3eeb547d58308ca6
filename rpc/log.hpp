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

/// Lines below the level are dropped. debug, info, warning, error, critical, fatal; false for any other word.
bool set_level(std::string_view name);

/// Writes what is still waiting. Call before the process ends.
void flush();

void debug(std::string_view message, fields extra = {});
void info(std::string_view message, fields extra = {});
void warning(std::string_view message, fields extra = {});
void error(std::string_view message, fields extra = {});

} // namespace mistify::rpc::log
