#!/usr/bin/env bash
# What a session is made of: the finest bars that cover it, the close of a half day, bars outside sessions, clocks that are wrong, and the moment
# from which a text was known.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3 to write the input"

# hours.ndjson, posts1.ndjson and posts2.ndjson are the vendor's; minutes.ndjson was streamed. All times are New York's.
python3 - <<'PY'
import datetime as dt
import json
import zoneinfo

NY = zoneinfo.ZoneInfo("America/New_York")

def at(day, hour, minute=0):
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(hour, minute), NY).astimezone(dt.timezone.utc)

def stamp(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")

def ohlc(o, c, v=10):
    return {"o": o, "h": max(o, c), "l": min(o, c), "c": c, "v": v, "n": 1, "vw": c}

def hours(day, upto, closes=(101, 100, 102, 100, 103, 100, 104)):
    before = 100
    for k in range(upto):
        yield {"t": stamp(at(day, 9 + k)), **ohlc(before, closes[k])}
        before = closes[k]

bars = [*hours("2024-03-08", 7), *hours("2024-03-11", 7), *hours("2024-03-12", 7), *hours("2024-07-03", 4)]
bars.append({"t": stamp(at("2024-07-03", 13)), **ohlc(100, 500)})   # trading after the close of the half day
bars.extend(hours("2024-07-08", 7))
with open("hours.ndjson", "w") as f:
    f.write(json.dumps({"bars": {"AAPL": bars}, "next_page_token": None}) + "\n")

def minutes(day, first, last, step=1):                               # minutes of the day, last one excluded
    for k, m in enumerate(range(first, last, step)):
        yield {"T": "b", "S": "AAPL", "t": stamp(at(day, m // 60, m % 60)), **ohlc(100 + k % 2, 101 - k % 2)}

stream = [*minutes("2024-03-11", 940, 960), *minutes("2024-03-12", 570, 960), *minutes("2024-07-05", 570, 630),
          *minutes("2024-03-10", 1200, 1210), *minutes("2024-07-09", 570, 630)]
with open("minutes.ndjson", "w") as f:
    for row in stream:
        f.write(json.dumps([row]) + "\n")

def listing(path, posts):
    children = [{"kind": "t3", "data": {"subreddit": "stocks", "id": i, "name": "t3_" + i, "title": title, "selftext": "", "author": "ann",
                 "created_utc": when.timestamp(), "score": score, "num_comments": 0, "is_self": True, "permalink": f"/r/stocks/comments/{i}/"}}
                for i, when, title, score in sorted(posts, key=lambda p: p[1], reverse=True)]
    with open(path, "w") as f:
        f.write(json.dumps({"kind": "Listing", "data": {"dist": len(children), "children": children, "after": None, "before": None}}) + "\n")

epoch = dt.datetime(1970, 1, 1, 5, tzinfo=dt.timezone.utc)
far = dt.datetime(2199, 1, 1, 5, tzinfo=dt.timezone.utc)
first = [("a1", at("2024-03-09", 12), "I love $AAPL", 1), ("a2", at("2024-03-12", 12), "I love $AAPL", 1), ("a3", epoch, "I love $AAPL", 1),
         ("a4", far, "I love $AAPL", 1), ("a5", at("2024-07-08", 12), "I love $AAPL", 1)]
listing("posts1.ndjson", first)
# a1 has another score, a5 another text
listing("posts2.ndjson", [("a1", first[0][1], "I love $AAPL", 99), *first[1:4], ("a5", first[4][1], "I hate $AAPL", 1)])
PY
cp "$ROOT/nexus.yml" .
vendor() { # posts
    serve sim "$NEXUS" sim --listen 127.0.0.1:0 --bars hours.ndjson --reddit "$1"
    export NEXUS_ALPACA__DATA_URL=http://127.0.0.1:$PORT NEXUS_ALPACA__TRADING_URL=http://127.0.0.1:$PORT
    export NEXUS_REDDIT__TOKEN_URL=http://127.0.0.1:$PORT NEXUS_REDDIT__API_URL=http://127.0.0.1:$PORT
}
build() {
    "$NEXUS" enrich >/dev/null || fail "enrich"
    "$NEXUS" dbt build "$@" >build.log || { tail -n 30 build.log; fail "dbt build"; }
}
posts() { "$NEXUS" backfill reddit --subreddit stocks --no-comments --start 1970-01-01 --end 2200-01-01 --refresh >load.log || fail "posts"; }
vendor posts1.ndjson
"$NEXUS" backfill alpaca bars --timeframe 1Hour --start 2024-03-01 --end 2024-07-31 >/dev/null || fail "bars"
posts
stop "$PID"
serve stream "$NEXUS" stream --listen 127.0.0.1:0
"$NEXUS" replay minutes.ndjson --speed max --to "ws://127.0.0.1:$PORT/ws/market-data" >/dev/null || fail "replay"
stop "$PID"
build

day() { ask "select concat_ws(' ', $1) from gold.fct_market_daily where session_date = '$2'"; }
equal "twenty minutes beside all hours" "$(day 'source_timeframe, rv_bars, coverage' 2024-03-11)" "1Hour 7 1.0"
equal "all minutes beside all hours" "$(day 'source_timeframe, rv_bars, coverage' 2024-03-12)" "1Min 78 1.0"
equal "a half day ends at 13:00" "$(day 'close, rv_bars, coverage, is_complete' 2024-07-03)" "100.000000 4 1.0 true"
equal "an hour of a session that is over" "$(day 'source_timeframe, realized_volatility is null, is_complete' 2024-07-05)" "1Min true true"
equal "an hour of a session that goes on" "$(day 'source_timeframe, realized_volatility > 0, is_complete' 2024-07-09)" "1Min true false"
equal "no return over four months" "$(day 'return_close is null' 2024-07-03)" true
equal "bars on a Sunday make no session" "$(ask "select count(*) from silver.days where is_session and d = '2024-03-10'")" 0
session() { ask "select session_date from gold.fct_mentions where fullname = 't3_$1'"; }
equal "talk on that weekend" "$(session a1)" 2024-03-11
equal "a clock at its epoch" "$(session a3)" ""
equal "a clock far ahead" "$(session a4)" ""
equal "days that gold knows" "$(ask "select min(date) || ' ' || max(date) from gold.dim_date")" "2024-01-01 2024-12-31"
"$NEXUS" check >check.log 2>&1 || { cat check.log; fail "wrong clocks close the gate"; }
has "the check names them" "$(cat check.log)" "A clock that can be right [WARNED]"

mart() { ask "select $1 from gold.daily_sentiment_impact_on_volatility where session_date = '$2'"; }
known=$(mart known_at 2024-03-11)
equal "known at the close" "$known" "2024-03-11 20:00:00+00"
equal "what was said then" "$(mart 'mean_compound > 0' 2024-07-08)" true
old=$(ask "select text_known_at from silver.posts where fullname = 't3_a5'")
vendor posts2.ndjson
posts
build
equal "the new score is there" "$(ask "select score from silver.posts where fullname = 't3_a1'")" 99
equal "the same text was known before" "$(mart known_at 2024-03-11)" "$known"
equal "another text is new" "$(mart 'mean_compound < 0' 2024-07-08)" true
equal "and known when it was seen" "$(ask "select text_known_at > '$old' and text_known_at = _known_at from silver.posts where fullname = 't3_a5'")" true
equal "and so is what looks back on it" "$(ask "select bool_and(known_at > '2025-01-01') from gold.daily_sentiment_impact_on_volatility where session_date >= '2024-07-08'")" true
state="select md5(string_agg(m::varchar, ',' order by symbol, session_date)) from gold.daily_sentiment_impact_on_volatility m"
increments=$(ask "$state")
build --full-refresh
equal "the same from the start" "$(ask "$state")" "$increments"
stop "$PID"
