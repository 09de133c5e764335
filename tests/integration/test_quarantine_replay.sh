#!/usr/bin/env bash
# Refused rows go back through their contracts after a fix: into bronze once, with what they came with, and from there to silver, whatever was
# built in between. Kills and two runs at once add nothing. Promises 2, 3 and 5.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
cp -r "$ROOT/contracts" .
trades=contracts/market/trades.odcs.yaml

trade() { # id symbol price
    printf '{"T":"t","S":"%s","i":%d,"x":"V","p":%s,"s":100,"c":["@"],"z":"C","t":"2024-03-01T15:00:%02d.000000001Z"}' "$2" "$1" "$3" $(($1 % 60))
}
send() { "$NEXUS" replay "$1" --producer "$2" --speed max --to "ws://127.0.0.1:$PORT/ws/market-data" --json 2>/dev/null; }
replay() { "$NEXUS" quarantine replay --json "$@"; }
state() { ask "select (select count(*) from quarantine.records where state = 'open')::varchar || ' open ' ||
    (select count(*) from quarantine.records where state = 'replayed') || ' replayed ' || (select count(*) from bronze.trades) || ' trades'"; }

serve stream "$NEXUS" stream --listen 127.0.0.1:0 --no-alpaca
{ # one frame with good and bad rows, a lone bad one, one without hope, a frame that is broken, a type that nobody knows
    printf '[%s,%s,%s]\n' "$(trade 1 AAPL 10)" "$(trade 2 'A-1000' 10)" "$(trade 3 AAPL 11)"
    printf '%s\n' "$(trade 4 'B-1000' 12)"
    printf '%s\n' "$(trade 5 AAPL '"x"')"
    printf '[%s\n' "$(trade 6 AAPL 1)"
    printf '[{"T":"zz"},%s]\n' "$(trade 7 AAPL 13)"
} >first.ndjson
# the rule that proves too strict
sed -i "s/pattern: '[^']*'/pattern: '^[A-Z]*\$'/" "$trades"
stop "$PID"
serve stream "$NEXUS" stream --listen 127.0.0.1:0 --no-alpaca
equal "refused at first" "$(send first.ndjson p1 | field rows_rejected)" 5
"$NEXUS" dbt build --select +silver.trades >build.log || { tail build.log; fail "first build"; }
# another writer, and more of the same one, so that the refused rows are below its watermark
printf '%s\n' "$(trade 8 AAPL 14)" >more.ndjson
cat first.ndjson more.ndjson >both.ndjson
equal "more of the same producer" "$(send both.ndjson p1 | field rows_accepted)" 1
"$NEXUS" dbt build --select +silver.trades >build.log || { tail build.log; fail "second build"; }
equal "before" "$(state)" "5 open 0 replayed 4 trades"

# nothing was mended: nothing passes, and each says why
out=$(replay) || fail "replay without a fix"
equal "without a fix" "$(field replayed <<<"$out") $(field refused_again <<<"$out")" "0 5"
has "the new reason" "$out" '"field":"symbol","rule":"pattern"'
sed -i "s/pattern: '[^']*'/pattern: '^[A-Z0-9-]*\$'/" "$trades"
equal "a dry run" "$(replay --dry-run | field replayed)" 2
equal "after a dry run" "$(state)" "5 open 0 replayed 4 trades"
equal "another contract's records" "$(replay --contract quotes | field records)" 0
"$NEXUS" quarantine replay --id nothing 2>err.txt
equal "an unknown record" "$? $(head -n 1 err.txt)" "2 nexus: there is no open record nothing in quarantine"
"$NEXUS" quarantine replay --contract nothing 2>err.txt
equal "an unknown contract" "$? $(head -n 1 err.txt)" "2 nexus: there is no contract nothing"

id=$(ask "select record_id from quarantine.records where decode(raw) like '%A-1000%'")
equal "one record" "$(replay --id "$id" | field rows_added)" 1
equal "after one" "$(state)" "4 open 1 replayed 5 trades"
# two at once: one of them works, the other one works after it or is told to wait
replay >a.json 2>a.err &
replay >b.json 2>b.err
wait $!
equal "after two at once" "$(state)" "3 open 2 replayed 6 trades"
equal "again" "$(replay | field rows_added)" 0
equal "place, source and time of the frame" "$(ask "select count(*) from bronze.trades b join bronze.trades r using (_source, _ingest_pos, _received_at)
    where b.trade_id in (1, 3) and r.trade_id = 2 and r._ingest_idx = 1 and r._known_at > r._received_at")" 2
equal "silver before a build" "$(ask 'select count(*) from silver.trades')" 4
"$NEXUS" dbt build --select +silver.trades >build.log || { tail build.log; fail "build after the replay"; }
equal "silver has them" "$(ask "select string_agg(trade_id, ' ' order by trade_id) from silver.trades")" "1 2 3 4 7 8"
out=$("$NEXUS" dbt build --select +silver.trades --json 2>/dev/null) || fail "another build"
equal "and takes them once" "$(field rows_added <<<"$out")" 0
sum="select md5(string_agg(t::varchar, ';' order by trade_id)) from silver.trades t"
before=$(ask "$sum")
"$NEXUS" dbt build --select silver.trades --full-refresh >build.log || { tail build.log; fail "full refresh"; }
equal "a full refresh gives the same" "$(ask "$sum")" "$before"

# many records, and kills on the way, where the program was built with fault points
for ((i = 100; i < 3100; i++)); do
    trade $i "C_$i" 20
    echo
done >many.ndjson
equal "many refused" "$(send many.ndjson p2 | field rows_rejected)" 3000
sed -i "s/pattern: '[^']*'/pattern: '^[A-Z0-9_-]*\$'/" "$trades"
# at the first file, at the commit of the rows, behind it, at the commit of the states, behind it
for fault in PARQUET_WRITE FILE_RENAME DELTA_COMMIT DELTA_COMMITTED DELTA_COMMIT DELTA_COMMITTED; do
    NEXUS_FAULT=$fault:0:kill "$NEXUS" quarantine replay >/dev/null 2>&1
    rc=$?
    [[ $rc -eq 137 || ($rc -eq 0 && $NEXUS != */test/* && $NEXUS != */asan/*) ]] || fail "not killed at $fault: $rc"
done
replay >out.json || fail "replay after the kills"
equal "each once" "$(state)" "3 open 3002 replayed 3006 trades"
equal "positions given twice" "$(ask 'select count(*) - count(distinct (_source, _ingest_pos, _ingest_idx)) from bronze.trades')" 0
stop "$PID"
