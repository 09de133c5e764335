#!/usr/bin/env bash
# Rows that arrive in any order, with a build after each delivery, make the same tables as one build of everything: trades delivered twice, bars
# and their updates, corrections before their trades, days that come late.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3 to write the input"

# part0.ndjson to part4.ndjson: the rows of four days, shuffled by the seed
python3 - <<'PY'
import datetime as dt
import json
import random

rows = []
for day in ("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"):
    start = dt.datetime.fromisoformat(day + "T14:30:00+00:00")
    for k in range(0, 390, 5):
        t = (start + dt.timedelta(minutes=k)).strftime("%Y-%m-%dT%H:%M:%SZ")
        o, c = 100 + k % 7, 100 + (k * 3) % 11
        rows.append({"T": "b", "S": "AAPL", "t": t, "o": o, "h": max(o, c), "l": min(o, c), "c": c, "v": 10 + k, "n": 2, "vw": c})
        if k % 50 == 0:
            rows.append(dict(rows[-1], T="u", c=99, l=99, v=11 + k))
    for i in range(40):
        trade = {"T": "t", "S": "AAPL", "i": i, "x": "Q", "p": 100 + i, "s": 1, "c": ["@"], "z": "C", "t": f"{day}T15:00:00.{i:09d}Z"}
        rows.extend([trade] * (2 if i % 9 == 0 else 1))
    for i in range(0, 40, 8):
        rows.append({"T": "c", "S": "AAPL", "x": "Q", "oi": i, "op": 1, "os": 1, "oc": ["@"], "ci": 100 + i, "cp": 50 + i, "cs": 1, "cc": ["@"],
                     "z": "C", "t": f"{day}T16:00:{i:02d}Z"})
    rows.append({"T": "x", "S": "AAPL", "i": 108, "x": "Q", "p": 1, "s": 1, "a": "C", "z": "C", "t": f"{day}T16:01:00Z"})
random.Random(20240102).shuffle(rows)
for part in range(5):
    with open(f"part{part}.ndjson", "w") as f:
        for row in rows[part::5]:
            f.write(json.dumps([row]) + "\n")
PY
build() { "$NEXUS" dbt build "$@" >build.log || { tail -n 30 build.log; fail "dbt build"; }; }
for part in 0 1 2 3 4; do
    serve "stream$part" "$NEXUS" stream --listen 127.0.0.1:0
    "$NEXUS" replay "part$part.ndjson" --speed max --to "ws://127.0.0.1:$PORT/ws/market-data" >/dev/null || fail "replay"
    stop "$PID"
    build
done
tables="silver.trades silver.trade_amendments silver.trades_current silver.bars silver.days gold.dim_date gold.fct_market_intraday
    gold.fct_market_daily gold.daily_sentiment_impact_on_volatility"
state() {
    local t
    for t in $tables; do
        echo "$t $(ask "select count(*) || ' ' || md5(string_agg(r, chr(10) order by r)) from (select t::varchar as r from $t as t)")"
    done
}
state >increments.txt
equal "trades, each once" "$(ask 'select count(*) from silver.trades')" 160
equal "without the cancelled" "$(ask 'select count(*) from silver.trades_current')" 156
build --full-refresh
state >refreshed.txt
difference=$(diff increments.txt refreshed.txt) || fail "a build of everything differs: $difference"
while read -r t rows _; do echo "ok: $t is the same, $rows rows"; done <refreshed.txt
