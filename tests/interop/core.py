"""The same project built by dbt Core with dbt-duckdb, beside our own build. Promise 11."""

import json
import os
import subprocess

import duckdb
from deltalake import DeltaTable

import rows
from nexus import CommandFailed


class Core:
    def __init__(self, dbt, project):
        self.dbt = dbt
        self.project = project
        self.folder = os.path.join(project.folder, "core")
        self.target = os.path.join(self.folder, "target")
        self.file = os.path.join(self.folder, "core.duckdb")
        os.makedirs(self.folder, exist_ok=True)

    def build(self, *words):
        env = dict(
            os.environ,
            NEXUS_LAKE_ROOT=self.project.lake,
            NEXUS_DBT_DUCKDB=self.file,
            DBT_SEND_ANONYMOUS_USAGE_STATS="false",
            TZ="UTC",
        )
        args = [self.dbt, "--no-use-colors", "build", "--target", "duckdb", "--project-dir", self.project.dbt, "--profiles-dir", self.project.dbt]
        args += ["--target-path", self.target, "--log-path", os.path.join(self.folder, "logs"), *words]
        r = subprocess.run(args, env=env, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if r.returncode != 0:
            raise CommandFailed(f"dbt Core ended with {r.returncode}:\n" + "\n".join(r.stdout.splitlines()[-40:]) + r.stderr)

    def take_over(self, table):
        """Begins with a table as the project has it now."""
        schema, _, name = table.partition(".")
        con = duckdb.connect(self.file)
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"create schema if not exists {rows.quoted(schema)}")
        con.execute(f"create table {rows.quoted(schema)}.{rows.quoted(name)} as from read_parquet('{self.project.export(f'from {table}')}')")
        con.close()

    def manifest(self):
        with open(os.path.join(self.target, "manifest.json"), encoding="utf-8") as f:
            return json.load(f)

    def models(self):
        """What a build leaves to be read: (schema, name, materialization), sorted."""
        nodes = self.manifest()["nodes"].values()
        kinds = ((n["schema"], n["alias"], n["config"]["materialized"]) for n in nodes if n["resource_type"] in ("model", "snapshot", "seed"))
        return sorted(k for k in kinds if k[2] != "ephemeral")

    def open(self):
        """A connection that reads the built database as schema core.*. Its views read sources that lived in dbt's process: they are put back."""
        con = duckdb.connect()
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"attach '{self.file}' as core (read_only)")
        for source in self.manifest()["sources"].values():
            table = DeltaTable(source["config"]["delta_table_path"])
            con.register("_".join([source["database"], source["schema"], source["identifier"]]) + "_df", table.to_pyarrow_dataset())
        return con


def read_excluded(path):
    """"project schema.table.column" a line; {project: {schema.table: {columns}}}."""
    found = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            words = line.partition("#")[0].split()
            if words:
                table, _, column = words[1].rpartition(".")
                found.setdefault(words[0], {}).setdefault(table, set()).add(column)
    return found


def compare_models(report, label, project, core, excluded):
    """Every row of every model, tables and views alike. excluded: schema.table -> columns."""
    con = core.open()
    try:
        models = core.models()
        known = {f"{schema}.{name}" for schema, name, _ in models}
        report.check(f"{label}: excluded columns are columns of models", [f"{t} is no model" for t in excluded if t not in known])
        for schema, name, kind in models:
            table = f"{schema}.{name}"
            ours = f"read_parquet('{project.export(f'from {table}')}')"
            theirs = f"core.{rows.quoted(schema)}.{rows.quoted(name)}"
            ignore = excluded.get(table, set())
            problems, n = rows.difference(con, ours, theirs, ignore)
            problems += [f"excluded column {c} does not exist" for c in ignore - {c for c, _ in rows.columns(con, ours)}]
            report.check(f"{label}: {table} as dbt Core builds it", problems, f"{kind}, {n:,} rows")
    finally:
        con.close()


def round_of_builds(report, label, project, core, excluded, words=()):
    """Both engines build what is new, then their results are compared. words: more options of dbt build, the same for both."""
    mine = project.build(*words)
    report.check(f"{label}: nexus dbt build", [mine] if mine["error"] else [], f"{mine['pass']} nodes passed")
    core.build(*words)
    report.ok(f"{label}: dbt Core builds the same project")
    compare_models(report, label, project, core, excluded)
