"""Stream messages made from rows that a lake holds already: amendments of trades, updates of bars; and frames that are refused."""

import datetime
import json
from decimal import Decimal

import duckdb

# broken JSON, wrong types, a missing field, absurd numbers, an unknown type, no object at all
REFUSED = [
    '[{"T":"t","S":"IBM"',
    '[{"T":"t","S":"IBM","i":"seven","x":"N","p":184.1,"s":100,"c":[" "],"z":"A","t":"2013-10-09T14:00:00Z"}]',
    '[{"T":"q","S":"IBM","bx":"N","bp":184.1,"ax":"N","ap":184.2,"as":1,"c":["R"],"z":"A","t":"2013-10-09T14:00:00Z"}]',
    '[{"T":"b","S":"IBM","o":1e40,"h":1e40,"l":-1,"c":1,"v":1,"t":"2013-10-09T14:00:00Z"}]',
    '[{"T":"zz","S":"IBM"}]',
    "42",
]


def _number(d):
    text = format(d, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _instant(ns):
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _text(value):
    """JSON with the decimals' own digits."""
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_text(v) for v in value) + "]"
    return json.dumps(value)


def write(path, frames):
    """A tape: a line a frame. Frames are messages, or texts as they are."""
    with open(path, "w", encoding="utf-8") as f:
        for frame in frames:
            f.write((frame if isinstance(frame, str) else _text([frame])) + "\n")
    return path


def _rows(project, sql):
    found = duckdb.sql(f"select * from read_parquet('{project.export(sql)}')")
    return [dict(zip(found.columns, row)) for row in found.fetchall()]


def amendments(project, nth):
    """Corrections and cancels of single trades, another choice for every nth."""
    trades = _rows(
        project,
        f"""select symbol, exchange, trade_id, price, size, conditions, tape, ts_ns
            from (select *, row_number() over (partition by symbol order by ts_ns, trade_id, exchange) as n from bronze.trades)
            where n % 1999 = {nth} order by symbol, n""",
    )
    made = []
    for place, t in enumerate(trades):
        common = {"S": t["symbol"], "x": t["exchange"], "z": t["tape"], "t": _instant(t["ts_ns"] + 60_000_000_000)}
        if place % 3 == 0:
            made.append({"T": "x", "i": t["trade_id"], "p": t["price"], "s": t["size"], "a": "C", **common})
            continue
        made.append(
            {
                "T": "c",
                "oi": t["trade_id"],
                "op": t["price"],
                "os": t["size"],
                "oc": t["conditions"],
                "ci": t["trade_id"] + 1_000_000_000,
                "cp": t["price"] + Decimal("0.015"),
                "cs": t["size"] + 1,
                "cc": t["conditions"],
                **common,
            }
        )
    return made


def updated_bars(project):
    """Late trades moved some minute bars: the same bars again with another close and volume."""
    bars = _rows(project, "select * from (select *, row_number() over (order by symbol, ts) as n from silver.bars_1m) where n % 17 = 0 order by n")
    return [
        {
            "T": "u",
            "S": b["symbol"],
            "o": b["open"],
            "h": b["high"],
            "l": b["low"],
            "c": b["low"],
            "v": b["volume"] + 7,
            "t": f"{b['ts'].astimezone(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        }
        for b in bars
    ]
