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
guest_body() {
  jq -n --arg id "$id" --arg image "$1" '{id: $id, type: "container", image: $image, memory: 64, cpu: 1,
    disks: [{size: 10}],
    metadata: {"container.env.GREETING": "good day \"you\"", "container.command":
      "sh -c '\''trap \"echo bye; exit 0\" TERM; touch /disk-0/kept; echo $GREETING $(ls /disk-0); while :; do sleep 0.1; done'\''"}}'
}

is_created() {
  job POST /guests -d "$(guest_body busy)"
  is running
  within 10 says 'good day "you" kept'
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
  log_of | tail -n 1 | grep -q bye
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

# Microseconds of a command.
took() {
  local begin=${EPOCHREALTIME/./}
  "$@" >/dev/null
  echo $((${EPOCHREALTIME/./} - begin))
}

start_by_agent() {
  local job_id
  job_id=$(api POST "/guests/$id/start" -o /dev/null -D - | tr -d '\r' | sed -n 's/^[Xx]-[Gg]uest-[Jj]ob-[Ii][Dd]: //p')
  api GET "/jobs/$job_id?wait=30s"
}

median() {
  sort -n | sed -n 3p
}

# Prints how long a start takes by the agent and by the engine alone, with as many calls of curl: medians of five.
is_started_quickly() {
  local by_agent=() by_engine=() agent_ms engine_ms
  job POST /guests -d "$(guest_body busy)"
  for _ in 1 2 3 4 5; do
    job POST "/guests/$id/poweroff"
    by_agent+=("$(took start_by_agent)")
    job POST "/guests/$id/poweroff"
    by_engine+=("$(took ask "containers/mistify-$id/start" -X POST)")
  done
  agent_ms=$(printf '%s\n' "${by_agent[@]}" | median)
  engine_ms=$(printf '%s\n' "${by_engine[@]}" | median)
  echo "          a start: $((agent_ms / 1000)) ms by the agent (two calls of curl), $((engine_ms / 1000)) ms by $engine (one)" >&3
  job DELETE "/guests/$id"
}
