#!/usr/bin/env bash
# The demo from nothing, and again: nothing is added. Half of the symbols show the link that the look-alike put there, the others do not.
# Promise 5.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/integration/pg.sh
source "$TESTS/pg.sh"
pg_start
export NEXUS_POSTGRES__DSN=$PG_DSN
out=$("$NEXUS" demo --json 2>demo.log) || { cat demo.log; fail "demo"; }
[[ $(field rows_added <<<"$out") -gt 100000 ]] || fail "the first demo added too little: $(field rows_added <<<"$out")"
linked=$(grep -o '"symbol":"[A-Z]*"[^}]*"linked":true,"planted":true' <<<"$out" | sed 's/"symbol":"\([A-Z]*\)".*/\1/' | tr '\n' ' ')
equal "symbols whose volatility follows talk" "$linked" "GME NVDA PLTR TSLA "
equal "symbols judged otherwise than they are" "$(grep -c '"linked":\(true,"planted":false\|false,"planted":true\)' <<<"$out")" 0
equal "versions in dim_symbol" "$("$NEXUS" --project demo sql --csv 'select count(*) from gold.dim_symbol where symbol_key <> -1' | tail -n 1)" 17
equal "quarantine" "$("$NEXUS" --project demo sql --csv 'select count(*) from quarantine.records' | tail -n 1)" 0
pg_rows=$(pg_psql -c 'select count(*) from nexus.daily_sentiment_impact_on_volatility')
[[ $pg_rows -gt 200 ]] || fail "Postgres holds $pg_rows rows of the mart"
out=$("$NEXUS" demo --json 2>demo.log) || { cat demo.log; fail "second demo"; }
equal "rows added by the second demo" "$(field rows_added <<<"$out")" 0
equal "tables that are told of" "$(grep -o '"table":"[a-z_.]*"' <<<"$out" | wc -l)" "$("$NEXUS" --project demo lake ls --json | grep -o '"table":"[a-z_.]*"' | wc -l)"
equal "rows changed in Postgres" "$(field rows_changed <<<"$out")" 0
