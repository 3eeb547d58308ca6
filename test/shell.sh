#!/usr/bin/env bash
# For the scripts that run daemons; to be sourced.

# has_line ARGUMENTS_OF_GREP...: whether standard input has such a line. Reads all of it: `grep -q` leaves at the first one, and the
# SIGPIPE that its writer then gets would count as a failure (pipefail).
has_line() {
  grep "$@" >/dev/null
}

# fails COMMAND...: `set -e` does not see what `!` negates.
fails() {
  if "$@"; then
    echo "succeeded: $*" >&2
    return 1
  fi
}
