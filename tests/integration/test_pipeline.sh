#!/usr/bin/env bash
# A year of real bars and messages from REST to Postgres; every step again changes nothing. Promises 2, 5, 7 and 9.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/integration/pg.sh
source "$TESTS/pg.sh"
bars=$SHARED/data/market/alpaca_rest/bars_1Hour_AAPL.ndjson.zst
talk=$SHARED/data/reddit/stocknet_tweets/listing_AAPL_2014-01-01_2014-12-31.ndjson.zst
need_shared data/market/alpaca_rest/bars_1Hour_AAPL.ndjson.zst

cp "$ROOT/nexus.yml" .
serve sim "$NEXUS" sim --listen 127.0.0.1:0 --bars "$bars" --reddit "$talk" --refuse-every 9 --fail-every 13
export NEXUS_ALPACA__DATA_URL=http://127.0.0.1:$PORT NEXUS_ALPACA__TRADING_URL=http://127.0.0.1:$PORT
export NEXUS_REDDIT__TOKEN_URL=http://127.0.0.1:$PORT NEXUS_REDDIT__API_URL=http://127.0.0.1:$PORT

load_bars() { "$NEXUS" backfill alpaca bars --timeframe 1Hour --start 2014-01-01 --end 2014-12-31 "$@"; }
equal "bars added" "$(load_bars --json | field rows_added)" 1755
equal "bars added again" "$(load_bars --json | field rows_added)" 0
equal "bars added when fetched again" "$(load_bars --refresh --json | field rows_added)" 0
equal "messages added" "$("$NEXUS" backfill reddit --json | field rows_added)" 8632
equal "messages added again" "$("$NEXUS" backfill reddit --json | field rows_added)" 0
equal "texts scored" "$("$NEXUS" enrich --json | field texts)" 8632
equal "texts scored again" "$("$NEXUS" enrich --json | field texts)" 0
"$NEXUS" dbt build >build.log || { tail -n 30 build.log; fail "dbt build"; }
has "dbt says so" "$(tail -n 1 build.log)" "ERROR=0 SKIP=0"
mart="select count(*)::varchar || ' ' || sum(messages) || ' ' || count(realized_volatility) from gold.daily_sentiment_impact_on_volatility"
first=$(ask "$mart")
equal "sessions of 2014, messages, volatilities" "$first" "252 8623 252"
"$NEXUS" dbt build >build.log || fail "second dbt build"
equal "the mart again" "$(ask "$mart")" "$first"

pg_start
export NEXUS_POSTGRES__DSN=$PG_DSN
"$NEXUS" publish >/dev/null 2>publish.err && fail "published what was not checked"
has "the gate" "$(cat publish.err)" "nexus check"
"$NEXUS" check >check.log || { cat check.log; fail "nexus check"; }
"$NEXUS" publish >/dev/null || fail "publish"
equal "rows changed by a second release" "$("$NEXUS" publish --json | field rows_changed)" 0
equal "rows in Postgres" "$(pg_psql -c "select count(*) from nexus.daily_sentiment_impact_on_volatility")" 252
equal "a price in Postgres" "$(pg_psql -c "select close from nexus.fct_market_daily where session_date = '2014-06-09'")" \
    "$(ask "select close from gold.fct_market_daily where session_date = '2014-06-09'")"

# a failing check stops publication
mkdir -p bad && printf 'checks for gold.fct_market_daily:\n  - row_count > 1000000\n' >bad/impossible.yml
"$NEXUS" check bad/impossible.yml >/dev/null
equal "exit code of a failing check" $? 1
stop "$PID"
