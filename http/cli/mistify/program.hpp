#pragma once

namespace mistify::cli {

/// Runs the whole program. Prints what went wrong and returns the exit status.
int run(int argc, char** argv);

} // namespace mistify::cli
