#!/usr/bin/env bash
# The day tape through `nexus stream`, killed three times with kill -9 while it commits. In the end: every message once, equal quotes kept,
# and a second replay adds nothing. Promises 1 and 2.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${NEXUS_BIN:-build/test/nexus}
tape=${NEXUS_SHARED:-../shared}/data/market/alpaca_ws/stocks_2013-10-08_aig_bac_ibm_spy.ndjson.zst
[[ -e $tape ]] || { echo "no tape at $tape"; exit 77; }
dir=$(mktemp -d /tmp/nexus-kill-XXXXXX)
listener=
cleanup() {
    [[ -z $listener ]] || kill -9 "$listener" 2>/dev/null || true
    rm -rf "$dir"
}
trap cleanup EXIT
cp -r contracts "$dir/"
cp nexus.yml "$dir/"
port=$((20000 + RANDOM % 20000))
nexus() { "$bin" --project "$dir" --set "stream.listen=127.0.0.1:$port" --set lake.flush.max_rows=200000 "$@"; }

start() {
    "$bin" --project "$dir" --set "stream.listen=127.0.0.1:$port" --set lake.flush.max_rows=200000 stream --no-alpaca 2>>"$dir/listener.log" &
    listener=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        kill -0 "$listener" 2>/dev/null || { cat "$dir/listener.log"; exit 1; }
        sleep 0.05
    done
}

for version in 2 4 6; do # of bronze.quotes: die as soon as it is there
    start
    nexus replay "$tape" --speed max >"$dir/replay.log" 2>&1 &
    replay=$!
    commit=$(printf '%s/lake/bronze/market/quotes/_delta_log/%020d.json' "$dir" "$version")
    until [[ -e $commit ]] || ! kill -0 "$replay" 2>/dev/null; do sleep 0.01; done
    kill -9 "$listener"
    wait "$listener" 2>/dev/null || true
    rc=0
    wait "$replay" || rc=$?
    [[ $rc -eq 75 || $rc -eq 0 ]] || { echo "the replay ended with $rc:"; cat "$dir/replay.log"; exit 1; }
done
start
nexus replay "$tape" --speed max >"$dir/replay.log" 2>&1 || { cat "$dir/replay.log"; exit 1; }
nexus replay "$tape" --speed max --json >"$dir/second.json"
kill -TERM "$listener"
wait "$listener" || { echo "the listener did not end well"; cat "$dir/listener.log"; exit 1; }
listener=

ask() { nexus sql --csv "$1" | tail -n 1; }
expect() {
    local got
    got=$(ask "$2")
    [[ $got == "$3" ]] || { echo "$1: $got instead of $3"; exit 1; }
}
expect quotes 'select count(*) from bronze.quotes' 909993
expect trades 'select count(*) from bronze.trades' 654140
expect bars 'select count(*) from bronze.bars' 2254
expect refused 'select count(*) from quarantine.records' 0
expect 'positions given twice' 'select count(*) - count(distinct (_ingest_pos, _ingest_idx)) from bronze.quotes' 0
expect 'equal quotes' 'select count(*) - count(distinct (symbol, bid_exchange, bid_price, bid_size, ask_exchange, ask_price, ask_size,
    conditions, tape, ts_ns)) from bronze.quotes' 47744
grep -q '"rows_accepted": *0' "$dir/second.json" || { echo "a second replay added rows:"; cat "$dir/second.json"; exit 1; }
echo "three kills, 1,566,387 messages, each once"
