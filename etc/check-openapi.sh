#!/usr/bin/env bash
# Checks the description of the API, /openapi.json, with a validator and against running agents; see test/openapi/check.js.
#
# Usage: etc/check-openapi.sh [BUILD]   (default build/release, with mistify-agent and mistify-test-agent)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=$(realpath "${1:-build/release}")
run=build/openapi # what npm installs lies beside the scripts, outside of the tree

mkdir -p "$run"
if ! cmp -s test/openapi/package.json "$run/package.json" || [ ! -d "$run/node_modules" ]; then
  rm -rf "$run/node_modules"
  cp test/openapi/package.json "$run/"
  (cd "$run" && npm install --no-audit --no-fund --no-package-lock --loglevel=error) || {
    rm -rf "$run/package.json"
    exit 1
  }
fi
cp test/openapi/*.js "$run/"
node "$run/check.js" "$build"
