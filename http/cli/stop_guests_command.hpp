#pragma once

namespace mistify::http {

/// `mistify-agent stop-guests`: shuts down all guests of a running agent before its host goes down, the highest
/// `power.order` first, those of one order together. What they are wished to be stays, so that they are back after the
/// boot. `argv[0]` is "stop-guests". Prints a line for each guest; returns the exit code, which is not 0 if a guest did
/// not go off.
int run_stop_guests_command(int argc, char** argv);

} // namespace mistify::http
