#!/usr/bin/env bash
# shellcheck disable=SC2154 # $run, $engine and $id are of whoever sources this
# What happens to a container in etc/test-containers.sh, one function a test. To be sourced.

starts() {
  start_engine
  configure_agent
  start_sub_agent
  start_agent
}

is_loaded() {
  make_layer "$run/image"
  make_docker_archive "$run/image" "$run/image/busy.tar.gz"
  make_oci_archive "$run/image" "$run/image/oci.tar"
  job POST /images -d "{\"type\":\"container\",\"id\":\"busy\",\"source\":\"file://$run/image/busy.tar.gz\"}"
  job POST /images -d "{\"type\":\"container\",\"id\":\"oci\",\"source\":\"file://$run/image/oci.tar\"}"
  [ "$(api GET '/images?type=container' | jq -rc '[.[] | .id]')" = '["busy","oci"]' ]
  [ "$(api GET '/images/busy?type=container' | jq -r '.type + .status')" = containercomplete ]
}

takes_no_name() {
  lacks images/stolen:latest/json
  lacks images/docker.io/library/stolen:latest/json
}

is_no_archive() {
  echo "<html>" >"$run/page"
  refuses job POST /images -d "{\"type\":\"container\",\"id\":\"page\",\"source\":\"file://$run/page\"}"
  grep -q "page, and no image archive" "$run/why"
}

# A process that says what it has, and goes on TERM with a word.
odd=$'\t é\n\\ $(id) `id` * % = "\' #,;'
guest_body() {
  jq -n --arg id "$id" --arg image "$1" --arg odd "$odd" '{id: $id, type: "container", image: $image, memory: 64, cpu: 1,
    disks: [{size: 10}],
    metadata: {"container.env.GREETING": "good day \"you\"", "container.env.ODD-é": $odd, "container.command":
      "sh -c '\''trap \"echo bye; exit 0\" TERM; touch /disk-0/kept; echo $GREETING $(ls /disk-0); while :; do sleep 0.1; done'\''"}}'
}

is_created() {
  job POST /guests -d "$(guest_body busy)"
  is running
  within 10 says 'good day "you" kept'
  ask "containers/mistify-$id/json" | jq -e --arg odd "$odd" '.Config.Env | index("ODD-é=" + $odd)' >/dev/null
}

has_its_bounds() {
  local inspected
  inspected=$(ask "containers/mistify-$id/json")
  jq -e '.HostConfig | .Memory == 67108864 and .NanoCpus == 1000000000 and .PidsLimit == 1024 and
    .NetworkMode == "none"' <<<"$inspected" >/dev/null
  grep -q '^CapEff:.*0000000000000000' "/proc/$(pid_of)/status"
  grep -q '^NoNewPrivs:.*1' "/proc/$(pid_of)/status"
}

is_measured() {
  within 10 has_used_its_processor
  api GET "/guests/$id/metrics/disk" | jq -e 'type == "object"' >/dev/null
  api GET "/guests/$id/metrics/nic" | jq -e 'type == "object"' >/dev/null
}

has_used_its_processor() {
  api GET "/guests/$id/metrics/cpu" | jq -e '.[0].cpu_time > 0' >/dev/null
}

is_suspended() {
  job POST "/guests/$id/suspend"
  is paused
  job POST "/guests/$id/suspend"
  job POST "/guests/$id/start"
  is running
}

reboots() {
  local before
  before=$(pid_of)
  job POST "/guests/$id/reboot"
  is running
  [ "$(pid_of)" != "$before" ]
  within 10 says bye
}

restarts() {
  local before
  before=$(pid_of)
  job POST "/guests/$id/restart"
  is running
  [ "$(pid_of)" != "$before" ]
}

survives_the_agent() {
  local before
  before=$(pid_of)
  end mistify-agent KILL
  start_agent
  is running
  [ "$(pid_of)" = "$before" ]
}

survives_the_sub_agent() {
  local before
  before=$(pid_of)
  end mistify-container KILL
  start_sub_agent
  [ "$(pid_of)" = "$before" ]
  job POST "/guests/$id/restart"
}

survives_the_engine() {
  local before
  before=$(pid_of)
  end engine KILL
  refuses job POST "/guests/$id/restart"
  grep -q "no container engine answers" "$run/why"
  start_engine
  [ "$(pid_of)" = "$before" ]
  job POST "/guests/$id/restart"
  is running
}

dies() {
  kill -9 "$(pid_of)"
  within 5 is stopped
  job POST "/guests/$id/start"
}

dies_unseen() {
  end mistify-container KILL
  kill -9 "$(pid_of)"
  sleep 0.2
  is running
  start_sub_agent
  within 5 is stopped
  job POST "/guests/$id/start"
}

is_started_by_others() {
  job POST "/guests/$id/poweroff"
  is stopped
  ask "containers/mistify-$id/start" -X POST
  within 5 is running
}

shuts_down() {
  job POST "/guests/$id/shutdown"
  is stopped
  [ "$(ask "containers/mistify-$id/json" | jq .State.ExitCode)" = 0 ]
  log_of | tail -n 1 | has_line bye
}

is_removed_by_others() {
  ask "containers/mistify-$id?force=1" -X DELETE >/dev/null
  within 5 is unknown
  refuses job POST "/guests/$id/start"
  grep -q "not found" "$run/why"
}

is_deleted() {
  job DELETE "/guests/$id"
  lacks "containers/mistify-$id/json"
  lacks "volumes/$id-0"
  [ -z "$(ls "$run/state/guests")" ]
}

leaves_others_alone() {
  ask "containers/create?name=mistify-$id" -H 'Content-Type: application/json' -d '{"Image":"localhost/busy"}' >/dev/null
  refuses job POST /guests -d "$(guest_body busy)"
  grep -q conflict "$run/why"
  job DELETE "/guests/$id"
  ask "containers/mistify-$id/json" >/dev/null
  ask "containers/mistify-$id" -X DELETE
}

runs_from_oci() {
  job POST /guests -d "$(guest_body oci)"
  is running
  refuses job DELETE "/images/oci?type=container"
  job DELETE "/guests/$id"
  job DELETE "/images/oci?type=container"
  [ "$(api GET '/images?type=container' | jq -rc '[.[] | .id]')" = '["busy"]' ]
}

# A folder of the sub-agent's that has no room for an archive: all that it has is the reserve.
is_refused_without_room() {
  end mistify-container
  mkdir -p "$run/small"
  mount -t tmpfs -o size=16m none "$run/small"
  state=$run/small start_sub_agent
  refuses job POST /images -d "{\"type\":\"container\",\"id\":\"full\",\"source\":\"file://$run/image/oci.tar\"}"
  grep -q "space" "$run/why"
  end mistify-container
  umount "$run/small"
  start_sub_agent
}

crowd_body() {
  jq -n --arg id "$1" '{id: $id, type: "container", image: "busy", metadata: {"container.command": "sleep 1000"}}'
}

# All requests are sent before the first job is waited for.
are_created_at_once() {
  local n guest ids=() jobs=()
  for n in $(seq "${MISTIFY_CROWD:-6}"); do
    guest=$(printf '0a1b2c3d-0000-4000-8000-1%011d' "$n")
    ids+=("$guest")
    jobs+=("$(api POST /guests -d "$(crowd_body "$guest")" -o /dev/null -D - | job_in)")
  done
  for n in "${jobs[@]}"; do
    [ "$(api GET "/jobs/$n?wait=80s" | jq -r .Status)" = Complete ]
  done
  [ "$(ask "containers/json" | jq '[.[] | select(.State == "running")] | length')" = "${#ids[@]}" ]
  jobs=()
  for guest in "${ids[@]}"; do
    jobs+=("$(api DELETE "/guests/$guest" -o /dev/null -D - | job_in)")
  done
  for n in "${jobs[@]}"; do
    [ "$(api GET "/jobs/$n?wait=80s" | jq -r .Status)" = Complete ]
  done
  [ "$(ask "containers/json?all=1" | jq length)" = 0 ]
}

# has_nic NETWORK FIELD LEAST: the figure of that nic is between LEAST and LEAST + 10000.
has_nic() {
  api GET "/guests/$id/metrics/nic" | jq -e --arg network "$1" --arg field "$2" --argjson least "$3" \
    '.[$network][$field] | . >= $least and . < $least + 10000' >/dev/null
}

# What this host sends to two of three addresses is counted for the nics of these networks, whatever the engine calls them there.
has_nics() {
  local network address number=0
  for network in zeta alpha; do
    ask networks/create -H 'Content-Type: application/json' -d "{\"Name\":\"$network\"}" >/dev/null
  done
  ask networks/create -H 'Content-Type: application/json' -d '{"Name":"inner","Internal":true}' >/dev/null
  job POST /guests -d "$(guest_body busy | jq '.nics = [{network: "zeta"}, {network: "alpha"}, {network: "inner"}]')"
  for network in zeta alpha; do
    address=$(api GET "/guests/$id" | jq -r --arg network "$network" '.nics[] | select(.network == $network).address')
    number=$((number + 1))
    for _ in $(seq "$((number * 10))"); do
      printf '%01000d' 0 >"/dev/udp/$address/9"
    done
  done
  has_nic zeta rx_bytes 10000
  has_nic alpha rx_bytes 20000
  has_nic alpha tx_bytes 0
  has_nic inner rx_bytes 0 # podman gives this host no address in there
  job DELETE "/guests/$id"
  for network in zeta alpha inner; do
    ask "networks/$network" -X DELETE >/dev/null
  done
}
