#!/usr/bin/env bash
# Ctrl-C: each long command ends by itself, says what became of its work, exits with 75, leaves no half file, and can be run again. Promise 5.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

# interrupt CONDITION command...: SIGINT once the command catches it and the condition holds; leaves RC, out.txt and err.txt
interrupt() {
    local ready=$1 pid
    shift
    "$@" >out.txt 2>err.txt &
    pid=$!
    PIDS+=("$pid")
    # it is the program, no more the shell, and SIGINT has a handler (bit 1 of the mask)
    until [[ $(readlink "/proc/$pid/exe") == "$(realpath "$NEXUS")" &&
        $((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$pid/status" 2>/dev/null || echo 0) & 2)) -ne 0 ]] && eval "$ready"; do
        kill -0 "$pid" 2>/dev/null || fail "'${*:2}' ended before it was interrupted: $(cat err.txt)"
    done
    kill -INT "$pid"
    wait "$pid"
    RC=$?
}

interrupt '[[ -e rows.csv.part ]]' "$NEXUS" sql --csv -o rows.csv 'select count(*) from range(1000000000000) where range % 7 = 3'
equal "sql: exit code" $RC 75
has "sql: says it" "$(cat err.txt)" "the query was stopped"
equal "sql: no half file" "$(ls rows.csv* 2>/dev/null)" ""

interrupt 'grep -q START out.txt' "$NEXUS" dbt build
equal "dbt: exit code" $RC 75
has "dbt: says what was done" "$(cat err.txt)" "nodes are done"
has "dbt: the others are skipped" "$(cat out.txt)" "SKIP"
"$NEXUS" dbt build >out.txt 2>err.txt || { tail -n 5 out.txt err.txt; fail "dbt build after an interrupted one"; }
echo "ok: dbt build goes on"

mkdir quality
printf 'checks for bronze.trades:\n  - failed rows:\n      name: slow\n      fail query: select range from range(1000000000000) where range %% 7 = 9\n' >quality/slow.yml
interrupt true "$NEXUS" check --json
equal "check: exit code" $RC 75
has "check: says it" "$(cat err.txt)" "the checks were stopped"
has "check: one JSON object" "$(cat out.txt)" '{"error":{"status":"NX_CANCELLED"'
[[ -e .nexus/gate.json ]] && fail "an interrupted check wrote the gate"

# a recorded {"action":…} is data: refused as such, and the replay does not wait for an answer that never comes
serve stream "$NEXUS" stream --listen 127.0.0.1:0
printf '{"action":"subscribe"}\n{"action":"flush"}\n[]\n' >actions.ndjson
out=$("$NEXUS" replay actions.ndjson --speed max --to "ws://127.0.0.1:$PORT/ws/market-data" --json 2>/dev/null) || fail "replay of actions"
equal "actions: frames" "$(field frames <<<"$out")" 3
equal "actions: kept as refused rows" "$(ask "select string_agg(decode(raw), ' ' order by decode(raw)) from quarantine.records")" \
    '"{""action"":""flush""} {""action"":""subscribe""}"'
stop "$PID"
