#!/usr/bin/env bash
# The rule of the house: includes point one way, http → actors → store → rpc, and each library stays in its room.
# Prints every line that breaks it as file:line and fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

broken=0

# forbid REASON PATTERN FILE...: complains about each #include of the files that the pattern (extended) matches.
forbid() {
  local reason=$1 pattern=$2 hits
  shift 2
  [ $# -gt 0 ] || return 0
  hits=$(grep -nHE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($pattern)" "$@" || true)
  [ -n "$hits" ] || return 0
  while IFS= read -r hit; do
    echo "$hit   ← $reason"
  done <<<"$hits"
  broken=1
}

mapfile -t rpc < <(find rpc -name '*.[ch]pp')
mapfile -t rpc_but_json < <(find rpc -name '*.[ch]pp' ! -path 'rpc/base/json*')
mapfile -t all_but_command_line < <(find rpc store actors http -name '*.[ch]pp' ! -path 'rpc/base/command_line.cpp' \
  ! -path 'http/cli/mistify/parser.cpp')
mapfile -t all_but_libvirt < <(find rpc store actors http -name '*.[ch]pp' ! -path 'rpc/agents/libvirt/*')
mapfile -t all_but_fetch < <(find rpc store actors http -name '*.[ch]pp' ! -path 'rpc/fetch/*')
mapfile -t all_but_curl < <(find rpc store actors http -name '*.[ch]pp' ! -path 'rpc/fetch/*' ! -path 'rpc/etcd/*' \
  ! -path 'rpc/agents/container/engine_transfer.cpp')
mapfile -t store < <(find store -name '*.[ch]pp')
mapfile -t actors < <(find actors -name '*.[ch]pp')
mapfile -t client < <(find http/client -name '*.[ch]pp')
mapfile -t client_but_openssl < <(find http/client -name '*.[ch]pp' ! -path 'http/client/openssl.hpp')
mapfile -t command < <(find http/cli/mistify -name '*.[ch]pp')
mapfile -t http < <(find http -name '*.[ch]pp')

forbid "rpc/ is the lowest layer" '(store|actors|http)/' "${rpc[@]}"
forbid "store/ knows rpc/ only" '(actors|http)/' "${store[@]}"
forbid "actors/ does not know http/" 'http/' "${actors[@]}"

# What runs on the user's side knows the model, and nothing of the agent's insides.
forbid "http/client knows rpc/base, rpc/net, rpc/http1, rpc/model and etcd's codecs only" \
  '(actors|store)/|http/(access|api|cli|pages|process|protocol|server)/|http/daemon|rpc/(agents|images|kit|client)/|caf/' \
  "${client[@]}"
forbid "mistify knows http/client, rpc/base, rpc/model and etcd's values only" \
  '(actors|store)/|http/(access|api|pages|process|protocol|server)/|http/(daemon|cli/token)|rpc/(agents|images|kit|client|http1|net)/|caf/' \
  "${command[@]}"
forbid "libcurl takes longer to load than mistify to run" 'rpc/etcd/(http_session|requester|v[23]_client)' \
  "${client[@]}" "${command[@]}"
forbid "OpenSSL is loaded by http/client/openssl for https only" 'openssl/' "${command[@]}" "${client_but_openssl[@]}"

# The floors inside rpc/, lowest first: a folder may include those before it.
above=""
for floor in agents images fetch kit etcd client model http1 net base; do
  mapfile -t files < <(find "rpc/$floor" -name '*.[ch]pp')
  [ -z "$above" ] || forbid "rpc/$floor knows the floors below it only" "rpc/($above)/" "${files[@]}"
  above+="${above:+|}$floor"
done

# Its public client only, where a thread may block: the server, the calls of sub-agents and the kit have their own HTTP.
mapfile -t no_httplib < <(find rpc store actors http -name '*.[ch]pp' ! -path 'rpc/agents/examples/*' \
  ! -path 'rpc/kit/agent_reporter.cpp')
forbid "cpp-httplib is for clients that may block" 'httplib' "${no_httplib[@]}"
forbid "CAF belongs to actors/ and http/" 'caf/' "${rpc[@]}" "${store[@]}"
forbid "SQLite belongs to store/" 'sqlite3' "${rpc[@]}" "${actors[@]}" "${http[@]}"
forbid "RapidJSON belongs to rpc/base/json" 'rapidjson/' "${rpc_but_json[@]}" "${store[@]}" "${actors[@]}" "${http[@]}"
forbid "libvirt belongs to rpc/agents/libvirt" 'libvirt/libvirt' "${all_but_libvirt[@]}"
forbid "what unpacks images belongs to rpc/fetch" '(lzma|zstd)' "${all_but_fetch[@]}"
forbid "libcurl belongs to rpc/fetch, rpc/etcd and the client of container engines" 'curl/' "${all_but_curl[@]}"
forbid "CLI11 is behind rpc/base/command_line and the command's parser" 'CLI/' "${all_but_command_line[@]}"

if [ "$broken" -eq 0 ]; then
  echo "layers: every include points the right way"
fi
exit "$broken"
