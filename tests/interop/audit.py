"""The mart computed a second time, from bronze and enrich alone and without SQL: plain Python after the definitions of the documents."""

import collections
import datetime
import decimal
import math
import statistics
import zoneinfo

import deltalake

NY = zoneinfo.ZoneInfo("America/New_York")
DAY = datetime.timedelta(days=1)
WEEK = 7 * DAY
MEASURES = ("messages", "authors", "mean_compound", "bullishness", "abnormal_attention", "realized_volatility", "realized_volatility_prev",
            "realized_volatility_next", "volatility_change", "trailing_correlation", "n_trailing", "known_at")
MARKET = ("source_timeframe", "open", "high", "low", "close", "volume", "trade_count", "vwap", "return_close", "realized_volatility", "rv_bars",
          "coverage", "is_complete", "known_at")


def rows(lake, folder):
    """All rows of a Delta table as dictionaries; none where there is no table."""
    path = f"{lake}/{folder}"
    return deltalake.DeltaTable(path).to_pyarrow_table().to_pylist() if deltalake.DeltaTable.is_deltatable(path) else []


def close_minute(day):
    half = (day.month == 7 and day.day == 3 and day.weekday() < 4) or (day.month == 12 and day.day == 24 and day.weekday() < 4)
    thanksgiving = day.month == 11 and day.weekday() == 4 and 23 <= day.day <= 29
    return 780 if half or thanksgiving else 960


def newest(items, key, order):
    best = {}
    for r in items:
        k = key(r)
        if k not in best or order(r) > order(best[k]):
            best[k] = r
    return best


def session_bars(lake):
    """(symbol, session) -> timeframe -> bars in order, of regular trading."""
    found = newest((r for r in rows(lake, "bronze/market/bars") if r["adjustment"] == "raw"), lambda r: (r["symbol"], r["timeframe"], r["ts"]),
                   lambda r: (r["_received_at"], r["_source"], r["_ingest_pos"], r["_ingest_idx"]))
    out = collections.defaultdict(lambda: collections.defaultdict(list))
    for bar in found.values():
        t = bar["ts"].astimezone(NY)
        minute = t.hour * 60 + t.minute
        first = {"1Min": 570, "1Hour": 540, "1Day": 0}.get(bar["timeframe"])
        last = 1440 if bar["timeframe"] == "1Day" else close_minute(t.date())
        if first is not None and first <= minute < last and t.weekday() < 5 and 2000 <= t.year and bar["ts"] <= bar["_received_at"] + 366 * DAY:
            out[bar["symbol"], t.date()][bar["timeframe"]].append((minute, bar))
    for frames in out.values():
        for bars in frames.values():
            bars.sort(key=lambda b: b[1]["ts"])
    return out


def quarters(timeframe, bars, close):
    if timeframe == "1Min":
        return len({(m - 570) // 15 for m, _ in bars})
    return sum((min(m + 60, close) - max(m, 570)) // 15 for m, _ in bars)


def steps(timeframe, bars):
    """Opens and closes of the steps that returns are made of: five minutes, or the hours themselves."""
    if timeframe == "1Hour":
        return [(b["open"], b["close"]) for _, b in bars]
    buckets = collections.defaultdict(list)
    for m, b in bars:
        buckets[m // 5].append(b)
    return [(v[0]["open"], v[-1]["close"]) for _, v in sorted(buckets.items())]


def realized(timeframe, bars):
    if timeframe == "1Day":
        return None, None
    before, squares = None, []
    for o, c in steps(timeframe, bars):
        squares.append(math.log(float(c) / float(before if before is not None else o)) ** 2)
        before = c
    return math.sqrt(sum(squares)), len(squares)


def one_session(day, frames, last_day):
    close = close_minute(day)
    need = (close - 570) / 15
    got = {f: quarters(f, frames.get(f, []), close) for f in ("1Min", "1Hour")}
    final_day = any(b["_known_at"].astimezone(NY) >= datetime.datetime.combine(day, datetime.time(close // 60), NY) for _, b in frames.get("1Day", []))
    if not any(got.values()) or (final_day and max(got.values()) < need / 2):
        frame = "1Day"
    else:
        frame = "1Min" if got["1Min"] >= 0.9 * got["1Hour"] else "1Hour"
    bars = frames[frame]
    values = [b for _, b in bars]
    ended = {"1Min": bars[-1][0] + 5 >= close, "1Hour": bars[-1][0] + 60 >= close, "1Day": final_day}[frame]
    coverage = None if frame == "1Day" else got[frame] / need
    complete = ended or day < last_day
    rv, n = realized(frame, bars)
    if complete and coverage is not None and coverage < 0.5:
        rv = None
    priced = [b for b in values if b["vwap"] is not None]
    shares = sum((b["volume"] for b in priced), decimal.Decimal(0))
    counts = [b["trade_count"] for b in values if b["trade_count"] is not None]
    return {"source_timeframe": frame, "open": values[0]["open"], "high": max(b["high"] for b in values), "low": min(b["low"] for b in values),
            "close": values[-1]["close"], "volume": sum(b["volume"] for b in values), "trade_count": sum(counts) if counts else None,
            "vwap": float(sum(b["vwap"] * b["volume"] for b in priced) / shares) if shares else None,
            "realized_volatility": rv, "rv_bars": n, "coverage": coverage, "is_complete": complete, "known_at": max(b["_known_at"] for b in values)}


def splits(lake):
    kinds = ("forward_split", "reverse_split")
    return newest((r for r in rows(lake, "bronze/reference/corporate_actions") if r["action_type"] in kinds and r["old_rate"] and r["new_rate"]),
                  lambda r: (r["symbol"], r["ex_date"]), lambda r: (r["observed_at"], r["_ingest_pos"], r["_ingest_idx"])).values()


def market(lake):
    """(symbol, session) -> the row of fct_market_daily."""
    found = session_bars(lake)
    last_day = max(day for _, day in found)
    out = {k: one_session(k[1], frames, last_day) for k, frames in found.items()}
    actions = splits(lake)
    for symbol in {s for s, _ in out}:
        before = None
        for day in sorted(d for s, d in out if s == symbol):
            row = out[symbol, day]
            row["return_close"] = None
            if before is not None and day - before <= WEEK:
                factor = math.prod(float(a["new_rate"]) / float(a["old_rate"]) for a in actions if a["symbol"] == symbol and before < a["ex_date"] <= day)
                row["return_close"] = math.log(float(row["close"]) * factor / float(out[symbol, before]["close"]))
            before = day
    return out


def next_session(day, sessions):
    """The first session from this day on within a week, else the first weekday."""
    for k in range(8):
        if day + k * DAY in sessions:
            return day + k * DAY
    while day.weekday() > 4:
        day += DAY
    return day


def messages(lake, sessions):
    """fullname -> (session, author, subreddit, known at); of people, not deleted."""
    out = {}
    for folder, text in (("posts", ("title", "selftext")), ("comments", ("body",))):
        seen = collections.defaultdict(list)
        for r in rows(lake, f"bronze/social/{folder}"):
            seen[r["fullname"]].append(r)
        for name, states in seen.items():
            states.sort(key=lambda r: (r["observed_at"], r["_received_at"], r["_source"], r["_ingest_pos"], r["_ingest_idx"]), reverse=True)
            last = states[0]
            created = last["created_at"]
            if last["is_deleted"] or last["author"] == "AutoModerator":
                continue
            content = [[r[c] or "" for c in (*text, "author")] + [r["is_deleted"]] for r in states]
            same = next((i for i, c in enumerate(content) if c != content[0]), len(states))
            known = min(r["_known_at"] for r in states[:same])
            local = created.astimezone(NY)
            day = local.date() + (DAY if local.hour >= 16 else 0 * DAY)
            right = 2000 <= created.year and created <= last["_received_at"] + 366 * DAY
            out[name] = (next_session(day, sessions) if right else None, last["author"], last["subreddit"].lower(), known)
    return out


def talk(lake, spoken):
    """(symbol, session) -> [(fullname, author or name, compound, known at)]; every symbol once a message."""
    scores = newest((r for r in rows(lake, "enrich/scores") if r["model"] == "vader"), lambda r: r["fullname"],
                    lambda r: (r["observed_at"], r["model_version"]))
    out = collections.defaultdict(list)
    named = {(r["fullname"], r["symbol"]) for r in rows(lake, "enrich/mentions") if r["observed_at"] == scores[r["fullname"]]["observed_at"]}
    for name, symbol in sorted(named):
        if name in spoken and spoken[name][0] is not None:
            session, author, _, known = spoken[name]
            voter = name if author in (None, "[deleted]") else author
            out[symbol, session].append((name, voter, scores[name]["compound"], known))
    return out


def mood(said):
    votes = collections.defaultdict(list)
    for _, voter, compound, _ in said:
        votes[voter].append(compound)
    up = sum(1 for s in said if s[2] >= 0.05)
    down = sum(1 for s in said if s[2] <= -0.05)
    return {"messages": len(said), "authors": len(votes), "bullishness": math.log((1 + up) / (1 + down)),
            "mean_compound": statistics.fmean(statistics.fmean(v) for v in votes.values()) if votes else None}


def standardized(value, before):
    if value is None or len(before) < 5 or statistics.stdev(before) <= 1e-9:
        return None
    return (value - statistics.fmean(before)) / statistics.stdev(before)


def correlation(pairs):
    if len(pairs) < 3:
        return None
    try:
        return statistics.correlation(*zip(*pairs))
    except statistics.StatisticsError:
        return None


def of_symbol(days, bars, said, since):
    """The mart's rows of one symbol: days in order, bars and talk by day; since is the first session with any message."""
    out, attention = [], []
    for i, day in enumerate(days):
        bar, words = bars[day], said.get(day, [])
        row = mood(words)
        volume = math.log(1 + row["messages"]) if since is not None and day >= since else None
        row["abnormal_attention"] = standardized(volume, [a for a in attention[-20:] if a is not None])
        attention.append(volume)
        near = i > 0 and day - days[i - 1] <= WEEK
        row["realized_volatility"] = bar["realized_volatility"]
        row["realized_volatility_prev"] = bars[days[i - 1]]["realized_volatility"] if near else None
        after = bars[days[i + 1]] if i + 1 < len(days) and days[i + 1] - day <= WEEK else None
        row["realized_volatility_next"] = after["realized_volatility"] if after and after["is_complete"] else None
        known = row["realized_volatility_next"] is not None and row["realized_volatility"] is not None
        row["volatility_change"] = row["realized_volatility_next"] - row["realized_volatility"] if known else None
        row["own"] = max([bar["known_at"], *(w[3] for w in words)])
        usable = near and bar["is_complete"] and bar["realized_volatility"] is not None and out[i - 1]["abnormal_attention"] is not None
        row["pair"] = (bar["realized_volatility"], out[i - 1]["abnormal_attention"]) if usable else None
        out.append(row)
        pairs = [r["pair"] for r in out[-60:] if r["pair"] is not None]
        row["n_trailing"] = len(pairs)
        row["trailing_correlation"] = correlation(pairs)
        row["known_at"] = max(r["own"] for r in out[-81:])
    return out


def mart(lake):
    """((symbol, session) -> row of the mart, (symbol, session) -> row of fct_market_daily)."""
    bars = market(lake)
    spoken = messages(lake, {d for _, d in bars})
    said = talk(lake, spoken)
    since = min((m[0] for m in spoken.values() if m[0] is not None), default=None)
    out = {}
    for symbol in {s for s, _ in bars}:
        days = sorted(d for s, d in bars if s == symbol)
        made = of_symbol(days, {d: bars[symbol, d] for d in days}, {d: said.get((symbol, d), []) for d in days}, since)
        out.update({(symbol, d): r for d, r in zip(days, made)})
    return out, bars


def differences(lake, folder, wanted, columns):
    """Lines on what a gold table holds otherwise than wanted; doubles to 1e-9."""
    got = {(r["symbol"], r["session_date"]): r for r in rows(lake, folder)}
    lines = [f"{k}: only in {'gold' if k in got else 'the audit'}" for k in sorted(got.keys() ^ wanted.keys())]
    for key in sorted(got.keys() & wanted.keys()):
        for c in columns:
            a, b = got[key][c], wanted[key][c]
            near = isinstance(a, float) and isinstance(b, float) and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
            if a != b and not near:
                lines.append(f"{key} {c}: {a!r}, audited {b!r}")
    return lines


def audit(lake):
    """Differences of the mart and of fct_market_daily with a second computation."""
    wanted, bars = mart(lake)
    return (differences(lake, "gold/fct_market_daily", bars, MARKET)
            + differences(lake, "gold/daily_sentiment_impact_on_volatility", wanted, MEASURES)), len(wanted)
