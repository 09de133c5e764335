"""Equality of two relations as multisets of rows, doubles to a relative tolerance."""

TOLERANCE = 1e-9
# what the lake's types make of an engine type that Delta does not have: theirs -> ours
MAPPED = {
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    "HUGEINT": "DECIMAL(38,0)",
    "UUID": "VARCHAR",
    "TIME": "VARCHAR",
}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def columns(con, relation):
    return [(r[0], r[1]) for r in con.sql(f"describe select * from {relation}").fetchall()]


def schema_problems(ours, theirs):
    if [n for n, _ in ours] != [n for n, _ in theirs]:
        return [f"columns differ: ours {[n for n, _ in ours]}", f"              theirs {[n for n, _ in theirs]}"]
    return [
        f"column {n}: ours is {mine}, theirs {other}"
        for (n, mine), (_, other) in zip(ours, theirs)
        if mine != other and MAPPED.get(other) != mine
    ]


def _close(a, b, tolerance):
    near = f"isfinite({a}) and isfinite({b}) and abs({a} - {b}) <= {tolerance!r} * greatest(abs({a}), abs({b}))"
    return f"({a} is not distinct from {b} or coalesce({near}, false))"


def _difference_sql(cols, ours, theirs, tolerance):
    """Equal rows of both sides meet in one group: same exact columns, same place among the doubles of these."""
    keys = [f"k{i}" for i, (_, t) in enumerate(cols) if t not in ("DOUBLE", "FLOAT")]
    doubles = [f"k{i}" for i, (_, t) in enumerate(cols) if t in ("DOUBLE", "FLOAT")]
    take = ", ".join(f"cast({quoted(n)} as {t}) as k{i}" for i, (n, t) in enumerate(cols))
    group = ", ".join([*keys, "nth"])
    order = f" order by {', '.join(doubles)}" if doubles else ""
    sums = "".join(f", max({d}) filter (side = 0) as {d}_ours, max({d}) filter (side = 1) as {d}_theirs" for d in doubles)
    far = "".join(f" or not {_close(d + '_ours', d + '_theirs', tolerance)}" for d in doubles)
    return f"""
        with both_sides as (select 0 as side, {take} from {ours} union all select 1, {take} from {theirs}),
        placed as (select *, row_number() over (partition by {', '.join(['side', *keys])}{order}) as nth from both_sides),
        met as (
            select {group}, count(*) filter (side = 0) as n_ours, count(*) filter (side = 1) as n_theirs{sums}
            from placed group by {group}
        )
        select * from met where n_ours <> n_theirs{far}"""


def difference(con, ours, theirs, ignore=(), tolerance=TOLERANCE):
    """What is different between two relations (texts fit for FROM); (problems, rows of ours)."""
    mine, other = columns(con, ours), columns(con, theirs)
    problems = schema_problems(mine, other)
    rows = con.sql(f"select count(*) from {ours}").fetchone()[0]
    if problems:
        return problems, rows
    cols = [c for c in mine if c[0] not in ignore]
    con.execute(f"create or replace temp table rows_apart as {_difference_sql(cols, ours, theirs, tolerance)}")
    apart = con.sql("select count(*), sum(n_ours), sum(n_theirs) from rows_apart").fetchone()
    if apart[0]:
        names = {f"k{i}": n for i, (n, _) in enumerate(cols)}
        problems.append(f"{apart[0]} groups differ: {apart[1]} rows of ours, {apart[2]} of theirs")
        sample = con.sql("select * from rows_apart order by all limit 4")
        for row in sample.fetchall():
            shown = {}
            for name, value in zip(sample.columns, row):
                base, _, side = name.partition("_")
                shown[names.get(base, base) + (f" ({side})" if side else "")] = value
            problems.append(", ".join(f"{k}={v}" for k, v in shown.items())[:1500])
    con.execute("drop table rows_apart")
    return problems, rows
