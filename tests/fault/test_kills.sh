#!/usr/bin/env bash
# kill -9 of the listener at 20 moments while a recorded day comes in: what is there in the end is the day, exactly. Promises 1 and 2.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/../integration/lib.sh"
tape=$SHARED/data/market/alpaca_ws/stocks_2013-10-07_bac_ibm.ndjson.zst
need_shared data/market/alpaca_ws/stocks_2013-10-07_bac_ibm.ndjson.zst
RANDOM=7

listen() { serve stream "$NEXUS" stream --listen 127.0.0.1:0 --set lake.flush.max_delay=300ms --set lake.compact.every=1s; }
for ((k = 0; k < 20; k++)); do
    listen
    "$NEXUS" replay "$tape" --speed max --to "ws://127.0.0.1:$PORT/ws/market-data" >/dev/null 2>&1 &
    sender=$!
    sleep "0.$((RANDOM % 60 + 20))"
    kill -9 "$PID"
    wait "$PID" 2>/dev/null
    wait "$sender" 2>/dev/null
done
listen
out=$("$NEXUS" replay "$tape" --speed max --to "ws://127.0.0.1:$PORT/ws/market-data" --json) || fail "last replay"
echo "frames of the last replay: $(field frames <<<"$out"), skipped: $(field frames_skipped <<<"$out")"
counts="select (select count(*) from bronze.quotes)::varchar || ' ' || (select count(*) from bronze.trades) || ' ' || (select count(*) from bronze.bars)"
equal "quotes trades bars" "$(ask "$counts")" "292962 112465 1048"
equal "one row a frame and index" "$(ask 'select count(*) - count(distinct (_source, _ingest_pos, _ingest_idx)) from bronze.quotes')" 0
equal "quarantine" "$(ask 'select count(*) from quarantine.records')" 0
equal "positions rise with time" "$(ask 'select count(*) from (select ts, lag(ts) over (order by _ingest_pos, _ingest_idx) as before from bronze.quotes where symbol = chr(66) || chr(65) || chr(67)) where before > ts')" 0
stop "$PID"
