#!/usr/bin/env bash
# Which session a message belongs to, and what is no pair: the close, a weekend, a change of the clocks, a half day, bars that were never
# loaded, messages past the last bar, authors that are nobody. Promise 8.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3 to write the input"

# Sessions: Fri 2024-03-08 (EST), Mon 03-11 (EDT), Wed 07-03 (half day), Fri 07-05; each with hours of bars.
python3 - <<'PY'
import datetime as dt
import json

def utc(text):
    return dt.datetime.fromisoformat(text).astimezone(dt.timezone.utc)

bars = []
for day, zone, hours in (("2024-03-08", "-05:00", 7), ("2024-03-11", "-04:00", 7), ("2024-07-03", "-04:00", 4), ("2024-07-05", "-04:00", 7)):
    for k in range(hours):
        t = utc(f"{day}T{9 + k:02d}:00:00{zone}")
        p = 100 + (k % 3)
        bars.append({"t": t.strftime("%Y-%m-%dT%H:%M:%SZ"), "o": 100, "h": 103, "l": 99, "c": p, "v": 10, "n": 2, "vw": p})
with open("bars.ndjson", "w") as f:
    f.write(json.dumps({"bars": {"AAPL": bars}, "next_page_token": None}) + "\n")

posts = [
    ("a1", "2024-03-08T15:59:59-05:00", "ann"),        # before the close: Friday
    ("a2", "2024-03-08T16:00:00-05:00", "bob"),        # at the close: Monday
    ("a3", "2024-03-09T12:00:00-05:00", None),         # Saturday, no author: Monday
    ("a4", "2024-03-10T02:30:00-05:00", "[deleted]"),  # Sunday, when the clocks change: Monday
    ("a5", "2024-03-11T15:59:59-04:00", "ann"),        # 15:59 in summer time: Monday
    ("a6", "2024-03-11T16:00:00-04:00", "ann"),        # Monday's close; no bars for months: Tuesday stands in
    ("a7", "2024-07-03T14:00:00-04:00", "ann"),        # after the early close, before 16:00: the half day itself
    ("a8", "2024-07-04T10:00:00-04:00", "bob"),        # a holiday: Friday
    ("a9", "2024-07-05T17:00:00-04:00", "bob"),        # past the last bar: Monday stands in
    ("aa", "2024-07-05T10:00:00-04:00", "AutoModerator"),
]
children = []
for name, when, author in sorted(posts, key=lambda p: utc(p[1]), reverse=True):
    children.append({"kind": "t3", "data": {"subreddit": "stocks", "id": name, "name": "t3_" + name, "title": "I love $AAPL", "selftext": "",
                     "author": author, "created_utc": utc(when).timestamp(), "score": 1, "num_comments": 0, "is_self": True,
                     "permalink": f"/r/stocks/comments/{name}/"}})
with open("posts.ndjson", "w") as f:
    f.write(json.dumps({"kind": "Listing", "data": {"dist": len(children), "children": children, "after": None, "before": None}}) + "\n")
PY
cp "$ROOT/nexus.yml" .
serve sim "$NEXUS" sim --listen 127.0.0.1:0 --bars bars.ndjson --reddit posts.ndjson
export NEXUS_ALPACA__DATA_URL=http://127.0.0.1:$PORT NEXUS_ALPACA__TRADING_URL=http://127.0.0.1:$PORT
export NEXUS_REDDIT__TOKEN_URL=http://127.0.0.1:$PORT NEXUS_REDDIT__API_URL=http://127.0.0.1:$PORT
"$NEXUS" backfill alpaca bars --timeframe 1Hour --start 2024-03-01 --end 2024-07-31 >/dev/null || fail "bars"
"$NEXUS" backfill reddit --subreddit stocks --no-comments >load.log || fail "posts"
"$NEXUS" enrich >/dev/null || fail "enrich"
"$NEXUS" dbt build >build.log || { tail -n 30 build.log; fail "dbt build"; }

session() { ask "select session_date from silver.messages where fullname = 't3_$1'"; }
equal "a second before the close" "$(session a1)" 2024-03-08
equal "at the close, over the weekend" "$(session a2)" 2024-03-11
equal "no author" "$(session a3)" 2024-03-11
equal "in the hour that is missing" "$(session a4)" 2024-03-11
equal "a second before the close in summer time" "$(session a5)" 2024-03-11
equal "before sessions that were not loaded" "$(session a6)" 2024-03-12
equal "a half day" "$(session a7)" 2024-07-03
equal "a holiday" "$(session a8)" 2024-07-05
equal "past the last bar" "$(session a9)" 2024-07-08
equal "machines" "$(session aa)" ""
equal "each of the nameless has a vote" "$(ask "select messages || ' ' || authors from gold.fct_sentiment_daily where session_date = '2024-03-11'")" "4 4"
mart() { ask "select $1 from gold.daily_sentiment_impact_on_volatility where session_date = '$2'"; }
equal "the next session" "$(mart 'realized_volatility_next is null' 2024-03-08)" false
equal "the next session was not loaded" "$(mart 'realized_volatility_next is null' 2024-03-11)" true
equal "the session before was not loaded" "$(mart 'realized_volatility_prev is null' 2024-07-03)" true
equal "over a holiday" "$(mart 'realized_volatility_prev is null' 2024-07-05)" false
"$NEXUS" dbt build --vars '{ignored_authors: []}' >build.log || { tail -n 30 build.log; fail "no ignored authors"; }
equal "machines, when nobody is ignored" "$(session aa)" 2024-07-05
"$NEXUS" dbt build --vars '{ignored_authors: ["O'"'"'Neil", ann]}' >build.log || { tail -n 30 build.log; fail "a quote in a name"; }
equal "an ignored author" "$(session a1)" ""
stop "$PID"
