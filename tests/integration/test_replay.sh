#!/usr/bin/env bash
# A recorded day through the edge: the exact counts, and nothing more the second time. Promise 2.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
tape=$SHARED/data/market/alpaca_ws/stocks_2013-10-08_aig_bac_ibm_spy.ndjson.zst
need_shared data/market/alpaca_ws/stocks_2013-10-08_aig_bac_ibm_spy.ndjson.zst

serve stream "$NEXUS" stream --listen 127.0.0.1:0
to=ws://127.0.0.1:$PORT/ws/market-data
out=$("$NEXUS" replay "$tape" --speed max --to "$to" --json) || fail "replay"
equal "rows accepted" "$(field rows_accepted <<<"$out")" 1566387
equal "rows rejected" "$(field rows_rejected <<<"$out")" 0
counts="select (select count(*) from bronze.quotes)::varchar || ' ' || (select count(*) from bronze.trades) || ' ' || (select count(*) from bronze.bars)"
equal "quotes trades bars" "$(ask "$counts")" "909993 654140 2254"
out=$("$NEXUS" replay "$tape" --speed max --to "$to" --json) || fail "second replay"
equal "frames of the second replay" "$(field frames <<<"$out")" 0
equal "frames skipped" "$(field frames_skipped <<<"$out")" 693851
equal "quotes trades bars again" "$(ask "$counts")" "909993 654140 2254"
equal "quarantine" "$(ask 'select count(*) from quarantine.records')" 0
equal "byte-identical quotes kept" "$(ask "select sum(n - 1) from (select count(*) as n from bronze.quotes
    group by symbol, bid_exchange, bid_price, bid_size, ask_exchange, ask_price, ask_size, conditions, tape, ts)")" 47744
# numbers are exact: the sum of the decimals as they stand in the file
want=$(zstd -dc "$tape" | grep -o '"T":"t"[^}]*' | sed -n 's/.*"p":\([0-9.]*\).*/\1/p' |
    awk -F. '{ f = substr($2 "000000", 1, 6); whole += $1; part += f } END { printf "%d.%06d", whole + int(part / 1000000), part % 1000000 }')
equal "sum of trade prices" "$(ask 'select sum(price) from bronze.trades')" "$want"
stop "$PID"
