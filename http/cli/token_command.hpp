#pragma once

namespace mistify::http {

/// `mistify-agent token add|list|revoke|rotate`: manages bearer tokens through the unix socket of a running agent.
/// `argv[0]` is "token". Prints to stdout, and one line to stderr where something fails; returns the exit code.
int run_token_command(int argc, char** argv);

} // namespace mistify::http
