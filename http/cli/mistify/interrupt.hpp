#pragma once

#include <functional>
#include <string>
#include <vector>

/// Ctrl-C, and SIGTERM: the program says which jobs go on and ends with 130.
namespace mistify::cli::interrupt {

/// Starts to look after the signals. Must be called before any other thread is started.
void begin();

/// The jobs that go on if the program is interrupted now.
void jobs_under_way(std::vector<std::string> ids);

/// Puts the terminal back; called before the message. Null: nothing to do.
void on_end(std::function<void()> restore);

} // namespace mistify::cli::interrupt
