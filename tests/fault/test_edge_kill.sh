#!/usr/bin/env bash
# kill -9 of `nexus stream` while a recorded day comes in: three times just as it commits, then at 20 moments of another day. In the end every
# message is there once, equal quotes are kept, positions rise with time, and a second replay adds nothing. Promises 1, 2 and 5.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/../integration/lib.sh"
tapes=$SHARED/data/market/alpaca_ws
need_shared data/market/alpaca_ws/stocks_2013-10-08_aig_bac_ibm_spy.ndjson.zst
need_shared data/market/alpaca_ws/stocks_2013-10-07_bac_ibm.ndjson.zst
RANDOM=7

listen() { serve stream "$NEXUS" stream --listen 127.0.0.1:0 --no-alpaca "$@"; }
send() { "$NEXUS" replay "$tape" --speed max --to "ws://127.0.0.1:$PORT/ws/market-data" --json; }
killed() { # the listener goes, the sender is told
    local rc
    kill -9 "$PID"
    wait "$PID" 2>/dev/null
    wait "$1" 2>/dev/null
    rc=$?
    [[ $rc -eq 75 || $rc -eq 0 ]] || { cat sender.log; fail "the replay ended with $rc"; }
}
# whole_day QUOTES TRADES BARS EQUAL_QUOTES
whole_day() {
    send >last.json || fail "last replay of $tape"
    echo "frames of the last replay: $(field frames <last.json), skipped: $(field frames_skipped <last.json)"
    send >second.json || fail "second replay of $tape"
    equal "a second replay adds" "$(field rows_accepted <second.json)" 0
    stop "$PID"
    equal "quotes trades bars" "$(ask "select (select count(*) from bronze.quotes)::varchar || ' ' || (select count(*) from bronze.trades)
        || ' ' || (select count(*) from bronze.bars)")" "$1 $2 $3"
    equal "quarantine" "$(ask 'select count(*) from quarantine.records')" 0
    equal "positions given twice" "$(ask 'select count(*) - count(distinct (_source, _ingest_pos, _ingest_idx)) from bronze.quotes')" 0
    equal "positions rise with time" "$(ask "select count(*) from (select ts, lag(ts) over (order by _ingest_pos, _ingest_idx) as before
        from bronze.quotes where symbol = 'BAC') where before > ts")" 0
    equal "equal quotes" "$(ask 'select count(*) - count(distinct (symbol, bid_exchange, bid_price, bid_size, ask_exchange, ask_price, ask_size,
        conditions, tape, ts_ns)) from bronze.quotes')" "$4"
}

mkdir commits moments
cd commits || exit 1
tape=$tapes/stocks_2013-10-08_aig_bac_ibm_spy.ndjson.zst
for version in 2 4 6; do # of bronze.quotes: die as soon as it is there
    listen --set lake.flush.max_rows=200000
    send >sender.log 2>&1 &
    sender=$!
    commit=$(printf 'lake/bronze/market/quotes/_delta_log/%020d.json' "$version")
    until [[ -e $commit ]] || ! kill -0 "$sender" 2>/dev/null; do sleep 0.01; done
    killed "$sender"
done
listen --set lake.flush.max_rows=200000
whole_day 909993 654140 2254 47744

cd ../moments || exit 1
tape=$tapes/stocks_2013-10-07_bac_ibm.ndjson.zst
for ((k = 0; k < 20; k++)); do
    listen --set lake.flush.max_delay=300ms --set lake.compact.every=1s
    send >sender.log 2>&1 &
    sender=$!
    sleep "0.$((RANDOM % 60 + 20))"
    killed "$sender"
done
listen --set lake.flush.max_delay=300ms --set lake.compact.every=1s
whole_day 292962 112465 1048 "$(zstd -dc "$tape" | grep -o '{"T":"q"[^}]*}' | sort | uniq -d -c | awk '{ n += $1 - 1 } END { print n + 0 }')"
