#pragma once

namespace mistify::rpc {

/// Names the calling thread for `top -H`, gdb and /debug/pprof; at most 15 characters, the rest is cut off. Does nothing
/// on the main thread, whose name is the program's.
void name_thread(const char* name) noexcept;

} // namespace mistify::rpc
