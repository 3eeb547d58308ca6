#!/usr/bin/env bash
# Generates a TypeScript client from the agent's /openapi.json, compiles it strictly and has it drive a running agent; see
# test/openapi/clients.js.
#
# Usage: etc/check-clients.sh [BUILD]   (default build/release, with mistify-agent and mistify-test-agent)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=$(realpath "${1:-build/release}")
run=build/clients # what npm installs lies beside the scripts, outside of the tree

mkdir -p "$run/typescript"
if ! cmp -s test/openapi/typescript/package.json "$run/typescript/package.json" || [ ! -d "$run/typescript/node_modules" ]; then
  rm -rf "$run/typescript/node_modules"
  cp test/openapi/typescript/package.json "$run/typescript/"
  (cd "$run/typescript" && timeout 300 npm install --fetch-timeout=60000 --no-audit --no-fund --no-package-lock --loglevel=error) || {
    rm -f "$run/typescript/package.json"
    exit 1
  }
fi
cp test/openapi/house.js test/openapi/clients.js test/openapi/package.json "$run/"
cp test/openapi/typescript/* "$run/typescript/"
timeout 180 node "$run/clients.js" "$build"
