#pragma once

namespace mistify::cli {

/// The whole program: returns its exit status, and has told what was wrong.
int run(int argc, char** argv);

} // namespace mistify::cli
