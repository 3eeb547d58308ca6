#!/usr/bin/env bash
# shellcheck disable=SC2154 # $run and $id are of whoever sources this
# What the agent and the sub-agent add to a container's start, in etc/test-containers.sh. To be sourced.
#
# An engine's start takes some hundred milliseconds, give or take fifty: two kinds of starts, with and without the agent, differ by
# less than that. So each start is measured twice at once: as the client sees it, and as a proxy at the engine's socket sees it. The
# difference is the agent's and the sub-agent's, and the proxy's, which is told beside it.

# Between the sub-agent and the engine: copies, and writes down when what passed. A log for each connection, as they would run into
# each other.
start_clock() {
  rm -rf "$run/clock" "$run/clock.sock"
  mkdir "$run/clock"
  launch clock socat "UNIX-LISTEN:$run/clock.sock,fork" \
    "SYSTEM:exec socat -v - 'UNIX-CONNECT:$run/engine.sock' 2>>'$run/clock/'\$\$"
  within 5 test -S "$run/clock.sock"
}

set_clock() {
  local log
  for log in "$run"/clock/*; do
    : >"$log"
  done
}

# The microseconds from the one start in the proxy's logs to its answer.
engine_time() {
  awk '
    FNR == 1 { asked = 0 }
    # "> 2026/11/29 02:40:01.000794703  length=90 …": socat fills the six digits of the microseconds up to nine.
    match($0, /[<>] [0-9]+\/[0-9]+\/[0-9]+ [0-9:]+\.[0-9]+  length=/) {
      split(substr($0, RSTART), word, " ")
      split(word[3], part, /[:.]/)
      at = ((part[1] * 60 + part[2]) * 60 + part[3]) * 1000000 + substr(part[4], length(part[4]) - 5)
    }
    /^POST [^ ]*\/start / { asked = at }
    /^HTTP\/1\.1 204 / && asked && !took { took = at - asked }
    END { if (!took) exit 1; printf "%d\n", took }' "$run"/clock/*
}

# ping_time SOCKET: the microseconds of a call that costs the engine next to nothing, the median of many on one connection.
ping_time() {
  perl -MIO::Socket::UNIX -MTime::HiRes=time -e '
    my $engine = IO::Socket::UNIX->new($ARGV[0]) or die "no engine";
    my @took;
    for (1 .. 101) {
      my ($begin, $got) = (time, "");
      syswrite $engine, "HEAD /_ping HTTP/1.1\r\nHost: localhost\r\n\r\n";
      until ($got =~ /\r\n\r\n/) { sysread $engine, $got, 65536, length $got or die "no answer: $got" }
      push @took, 1e6 * (time - $begin);
    }
    printf "%.0f\n", (sort { $a <=> $b } @took)[50]' "$1"
}

# Starts the container over a connection that stands already, and waits for the job's end. Prints the microseconds from the request to
# the end that the client sees, and the job as it ended.
start_by_client() {
  perl -MIO::Socket::INET -MTime::HiRes=time -e '
    my $agent = IO::Socket::INET->new(PeerAddr => "127.0.0.1:8080") or die "no agent";
    sub ask {
      syswrite $agent, "$_[0] HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
      my $got = "";
      until ($got =~ /\r\n\r\n/ && $got =~ /\r\ncontent-length: *(\d+)/i && length($got) >= $1 + 4 + index $got, "\r\n\r\n") {
        sysread $agent, $got, 65536, length $got or die "no answer: $got";
      }
      return $got;
    }
    ask "GET /healthz";
    my $begin = time;
    ask("POST /guests/$ARGV[0]/start") =~ /x-guest-job-id: *(\S+)/i or die "no job";
    my $ended = ask "GET /jobs/$1?wait=60s";
    my $end = time;
    $ended =~ s/.*\r\n\r\n//s;
    printf "%.0f %s\n", 1e6 * ($end - $begin), $ended' "$id"
}

# Seconds that the agent has spent on commits so far, in the metric NAME_sum.
spent_on() {
  api GET /metrics | awk -v name="mistify_$1_duration_seconds_sum" 'index($1, name) == 1 { all += $2 } END { printf "%.6f", all }'
}

# Appends to $run/starts: microseconds of a start for the client, for the engine, and for the commits of the database in it.
measure_start() {
  local before after all ended
  job POST "/guests/$id/poweroff"
  sleep 0.4 # it is reported, and nothing of it runs beside the start
  before=$(spent_on commit)
  set_clock
  read -r all ended < <(start_by_client)
  [ "$(jq -r .Status <<<"$ended")" = Complete ]
  after=$(spent_on commit)
  echo "$all $(engine_time) $(awk -v a="$before" -v b="$after" 'BEGIN { printf "%d", (b - a) * 1e6 }')" >>"$run/starts"
}

# quartiles added | engine | commits: of the lines of $run/starts, in milliseconds.
quartiles() {
  awk -v what="$1" '{ all["added"] = $1 - $2; all["engine"] = $2; all["commits"] = $3; print all[what] }' "$run/starts" | sort -n |
    awk '{ v[NR] = $1 / 1000 } END { printf "%.1f %.1f %.1f", v[int((NR + 3) / 4)], v[int((NR + 1) / 2)], v[int((3 * NR + 3) / 4)] }'
}

# Tells what a start costs beyond the engine, median and half of all: no test of a time, which a busy machine would fail.
is_started_quickly() {
  local low middle high proxy
  end mistify-container
  start_clock
  engine_socket=$run/clock.sock start_sub_agent
  job POST /guests -d "$(guest_body busy)"
  : >"$run/starts"
  for _ in $(seq "${MISTIFY_STARTS:-15}"); do
    measure_start
  done
  proxy=$(($(ping_time "$run/clock.sock") - $(ping_time "$run/engine.sock")))
  read -r low middle high <<<"$(quartiles added)"
  printf '          a start: %s ms by the engine; by agent and sub-agent %s ms more (half of them %s to %s),\n' \
    "$(quartiles engine | cut -d' ' -f2)" "$middle" "$low" "$high" >&3
  printf '          of which commits took %s ms, and what measured it %.1f\n' "$(quartiles commits | cut -d' ' -f2)" \
    "${proxy}e-3" >&3
  job DELETE "/guests/$id"
  end mistify-container
  end clock
  start_sub_agent
}
