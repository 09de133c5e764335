"""delta-rs and polars read every table that Nexus wrote: the same rows, versions and partitions, through the table's whole life."""

import glob
import os
import shutil
import time

import duckdb
import polars
import pyarrow as pa
import yaml
from deltalake import DeltaTable, write_deltalake

import rows
from nexus import CommandFailed

EXACT = 0.0


def connect():
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    return con


def contract_partitions(repo):
    """Partition columns by table, as the contracts declare them."""
    found = {}
    for path in glob.glob(os.path.join(repo, "contracts", "*", "*.odcs.yaml")):
        with open(path, encoding="utf-8") as f:
            for table in yaml.safe_load(f)["schema"]:
                of = [p for p in table["properties"] if p.get("partitioned")]
                found[table["physicalName"]] = [p["name"] for p in sorted(of, key=lambda p: p["partitionKeyPosition"])]
    return found


class Reader:
    """One look at every table by three readers."""

    def __init__(self, report, project, repo):
        self.report = report
        self.project = project
        self.partitions = contract_partitions(repo)

    def _by_log(self, table):
        """What the log says of the files: those that it names are there; how many rows they hold."""
        actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
        root = table.table_uri.removeprefix("file://")
        gone = [a["path"] for a in actions if not os.path.exists(os.path.join(root, a["path"]))]
        return [f"{path} is named by the log and is not there" for path in gone], sum(a["num_records"] for a in actions)

    def all(self, label, before=None, only=None):
        """Exports every table (or only some), compares it with both readers and, where given, with the exports made before."""
        exports = {}
        for name, t in self.project.tables().items():
            if only is not None and name not in only:
                continue
            con = connect()
            path = self.project.export(f"from {name}")
            ours = f"read_parquet('{path}')"
            table = DeltaTable(t["folder"])
            problems = [] if table.version() == t["version"] else [f"version: ours {t['version']}, delta-rs {table.version()}"]
            want = self.partitions.get(name)
            if want is not None and table.metadata().partition_columns != want:
                problems.append(f"partition columns: the contract {want}, delta-rs {table.metadata().partition_columns}")
            con.register("by_delta_rs", table.to_pyarrow_table())
            con.register("by_polars", polars.read_delta(t["folder"]).to_arrow())
            for reader in ("by_delta_rs", "by_polars"):
                found, n = rows.difference(con, ours, reader, tolerance=EXACT)
                problems += [f"{reader}: {p}" for p in found]
            if before is not None:
                problems += [f"before: {p}" for p in rows.difference(con, f"read_parquet('{before[name]}')", ours, tolerance=EXACT)[0]]
            missing, logged = self._by_log(table)
            problems += missing
            if logged != n:
                problems.append(f"the log's files hold {logged} rows, the table {n}")
            self.report.check(f"{label}: {name} by delta-rs and polars", problems, f"{n:,} rows, version {t['version']}")
            exports[name] = path
            con.close()
        return exports


def _filtered(report, project):
    """Filters that file statistics and partitions answer give the same counts."""
    ts = "timestamptz '2013-10-09 15:00:00+00'"
    cases = [
        ("bronze.trades", "symbol = 'IBM' and price > 180.5"),
        ("bronze.quotes", f"ts < {ts} and bid_size >= 3"),
        ("bronze.bars", "event_month >= '2014-06' and timeframe = '1Hour'"),
        ("bronze.posts", "created_at >= timestamptz '2014-03-01 12:00:00+00' and created_at < timestamptz '2014-09-01 00:00:00+00'"),
    ]
    tables = project.tables()
    for name, where in cases:
        con = connect()
        data = DeltaTable(tables[name]["folder"]).to_pyarrow_dataset()  # the engine pushes the filter into delta-rs's files
        con.register("by_delta_rs", data)
        theirs = con.sql(f"select count(*) from by_delta_rs where {where}").fetchone()[0]
        lazy = polars.SQLContext(t=polars.scan_delta(tables[name]["folder"])).execute("select count(*) as n from t").collect()["n"][0]
        ours, all_rows = project.json("sql", f"select count(*) filter (where {where}) as n, count(*) as all_rows from {name}")["rows"][0]
        fine = ours == theirs and all_rows == lazy and 0 < ours < all_rows
        problems = [] if fine else [f"ours {ours} of {all_rows}, delta-rs {theirs}, polars {lazy}"]
        report.check(f"filters: {name} where {where[:40]}…", problems, f"{ours:,} of {all_rows:,} rows")


def check(report, project, repo):
    reader = Reader(report, project, repo)
    appended = reader.all("after appends and merges")
    _filtered(report, project)
    _versions(report, project)
    _maintain(report, project, reader, appended)
    _foreign(report, project)


def _versions(report, project):
    """Time travel: every version of the tables that grew, here and by delta-rs."""
    tables = project.tables()
    for name in ("bronze.bars", "bronze.posts", "silver.bars", "silver.snap_assets", "gold.fct_market_daily"):
        con = connect()
        problems = []
        for version in range(tables[name]["version"] + 1):
            con.register("theirs", DeltaTable(tables[name]["folder"], version=version).to_pyarrow_table())
            path = project.export(f'from "{name}@v{version}"')
            problems += [f"version {version}: {p}" for p in rows.difference(con, f"read_parquet('{path}')", "theirs", tolerance=EXACT)[0]]
        report.check(f"time travel: every version of {name}", problems, f"{tables[name]['version'] + 1} versions")


def _maintain(report, project, reader, before):
    files = {n: t["files"] for n, t in project.tables().items()}
    for name in files:
        project.run("lake", "optimize", name)
    now = {n: t["files"] for n, t in project.tables().items()}
    fewer = [n for n in files if now[n] < files[n]]
    report.check("compaction: tables of many small files have fewer", [] if fewer else [f"none of {files}"], f"{len(fewer)} tables")
    reader.all("after compaction", before, fewer)
    for name in files:
        project.run("lake", "checkpoint", name)
    _only_checkpoints(report, project)
    _vacuum(report, project)
    reader.all("after checkpoint and vacuum", before)


def _only_checkpoints(report, project):
    """With the commits before it taken away, a checkpoint has to say everything by itself."""
    for name, t in project.tables().items():
        copy = os.path.join(project.folder, "copies", name)
        shutil.copytree(t["folder"], copy)
        last = f"{t['version']:020d}"
        made = os.path.exists(os.path.join(copy, "_delta_log", last + ".checkpoint.parquet"))
        problems = [] if made else [f"no checkpoint of version {t['version']}"]
        for commit in glob.glob(os.path.join(copy, "_delta_log", "*.json")):
            if os.path.basename(commit) < last:
                os.remove(commit)
        if not problems:
            con = connect()
            con.register("by_delta_rs", DeltaTable(copy).to_pyarrow_table())
            con.register("by_polars", polars.read_delta(copy).to_arrow())
            ours = f"read_parquet('{project.export(f'from {name}')}')"
            for by in ("by_delta_rs", "by_polars"):
                problems += [f"{by}: {p}" for p in rows.difference(con, ours, by, tolerance=EXACT)[0]]
        report.check(f"checkpoint alone: {name} by delta-rs and polars", problems)
        shutil.rmtree(copy)


def _vacuum(report, project):
    """An old file that no version names goes, a young one stays, and so does all that versions inside the retention name."""
    problems = []
    for name, t in project.tables().items():
        held = set(glob.glob(os.path.join(t["folder"], "**", "*.parquet"), recursive=True))
        old, young = (os.path.join(t["folder"], f"part-{age}-orphan.parquet") for age in ("old", "young"))
        for path in (old, young):
            with open(path, "wb") as f:
                f.write(b"left by a writer that died")
        weeks_ago = time.time() - 21 * 86400
        os.utime(old, (weeks_ago, weeks_ago))
        project.run("lake", "vacuum", name)
        if os.path.exists(old):
            problems.append(f"{name}: the old orphan is still there")
        if not os.path.exists(young):
            problems.append(f"{name}: the young orphan is gone")
        gone = [p for p in held if not os.path.exists(p)]
        if gone:
            problems.append(f"{name}: gone though inside the retention: {gone[:3]}")
        os.remove(young)
    report.check("vacuum: takes old orphans alone", problems)


def _foreign(report, project):
    """What delta-rs commits to a table of ours is ours to read, append to and vacuum."""
    folder = project.tables()["bronze.posts"]["folder"]
    copy = os.path.join(project.folder, "copies", "shared")
    shutil.copytree(folder, copy)
    data = DeltaTable(copy).to_pyarrow_table().slice(0, 500)
    write_deltalake(copy, data, mode="append")
    path = project.export(f'from "delta:{copy}"')
    con = connect()
    con.register("theirs", DeltaTable(copy).to_pyarrow_table())
    report.check("delta-rs appends, nexus reads", rows.difference(con, f"read_parquet('{path}')", "theirs", tolerance=EXACT)[0])
    con.close()

    _vacuum_all(report, project, "bronze.bars")


def _data_files(folder):
    found = glob.glob(os.path.join(folder, "**", "*.parquet"), recursive=True)
    return {f for f in found if os.sep + "_delta_log" + os.sep not in f}


def _vacuum_all(report, project, name):
    """delta-rs sets the retention to nothing: vacuum takes every file that compaction replaced, and old versions end."""
    folder = project.tables()[name]["folder"]
    first = DeltaTable(folder).version()
    DeltaTable(folder).alter.set_table_properties({"delta.deletedFileRetentionDuration": "interval 0 hours"})
    held, before = _data_files(folder), project.export(f"from {name}")
    project.run("lake", "vacuum", name, "--retain", "0")
    table = DeltaTable(folder)
    named = {os.path.normpath(p.removeprefix("file://")) for p in table.file_uris()}
    left = _data_files(folder)
    problems = [] if left == named and left < held else [f"{len(held)} files before, {len(left)} after, {len(named)} named by the log"]
    con = connect()
    con.register("theirs", table.to_pyarrow_table())
    for path in (before, project.export(f"from {name}")):
        problems += rows.difference(con, f"read_parquet('{path}')", "theirs", tolerance=EXACT)[0]
    con.close()
    report.check(f"vacuum: {name} with the retention that delta-rs set to nothing", problems, f"{len(held) - len(left)} files gone")
    ended = first - 2  # a version before compaction
    try:
        project.export(f'from "{name}@v{ended}"')
        report.bad(f"vacuum: version {ended} has ended", ["it was read"])
    except CommandFailed as e:
        report.check(f"vacuum: version {ended} has ended, and reading it says why", [] if "vacuum" in str(e) else [str(e)])
