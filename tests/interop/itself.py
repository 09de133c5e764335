"""The comparison must be able to fail: differences that it has to find, and what is none."""

import duckdb

import rows

SAME = [
    ("order", "values (1, 'a'), (2, 'b')", "values (2, 'b'), (1, 'a')"),
    ("rows that are there twice", "values (1), (1), (2)", "values (1), (2), (1)"),
    ("nulls", "values (null::int, 1.5::double), (1, null)", "values (1, null::double), (null, 1.5)"),
    ("doubles within 1e-9", "values ('a', 1e12::double), ('a', 3)", "values ('a', 3::double), ('a', 1e12 + 1)"),
    ("nan and infinity", "values ('nan'::double), ('inf'), ('-inf')", "values ('-inf'::double), ('nan'), ('inf')"),
    ("a timestamp without zone", "values (timestamptz '2024-01-01 10:00:00+00')", "values (timestamp '2024-01-01 10:00:00')"),
]
APART = [
    ("a row less", "values (1), (2)", "values (1)"),
    ("a row twice", "values (1), (2)", "values (1), (2), (2)"),
    ("a value", "values (1, 'a')", "values (1, 'b')"),
    ("values that changed places", "values (1, 'a'), (2, 'b')", "values (1, 'b'), (2, 'a')"),
    ("null for zero", "values (0)", "values (null::int)"),
    ("null for a double", "values (0::double)", "values (null::double)"),
    ("doubles past 1e-9", "values ('a', 1e12::double)", "values ('a', 1e12 + 1e4::double)"),
    ("nan for a number", "values (1::double)", "values ('nan'::double)"),
    ("an element of a list", "values ([1, 2])", "values ([2, 1])"),
    ("a type", "values (1::int)", "values (1::bigint)"),
    ("an instant an hour off", "values (timestamptz '2024-01-01 10:00:00+00')", "values (timestamp '2024-01-01 11:00:00')"),
]


def check(report):
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    for what, ours, theirs in SAME:
        report.check(f"no difference: {what}", rows.difference(con, f"({ours}) as t", f"({theirs}) as t")[0])
    for what, ours, theirs in APART:
        found = rows.difference(con, f"({ours}) as t", f"({theirs}) as t")[0]
        report.check(f"a difference: {what}", [] if found else ["it was not seen"])
    con.close()
