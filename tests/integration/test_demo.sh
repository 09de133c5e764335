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

# the vendor's port changes from run to run, its past does not: what was loaded whole is not asked for again
"$NEXUS" demo >third.txt 2>demo.log || { cat demo.log; fail "third demo"; }
[[ $(sed -n 's/.*trades by REST.* \([0-9]*\) requests.*/\1/p' demo.log) -lt 20 ]] || { cat demo.log; fail "all windows were read again"; }
has "the key to the verdicts" "$(cat third.txt)" "A link is no cause"
[[ $(awk '{ if (length > n) n = length } END { print n }' demo.log) -le 80 ]] || fail "a step is wider than a terminal"
! grep -q $'\033' third.txt demo.log || fail "control characters where there is no terminal"

# one folder, one world
"$NEXUS" demo --seed 2 >other.txt 2>&1
equal "another seed in the same folder" $? 2
has "which seed it holds" "$(cat other.txt)" "holds the demo of seed 1"
