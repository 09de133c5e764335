"""Compares Nexus with dbt Core, delta-rs and polars on real and synthetic input. Run it by scripts/run-interop."""

import argparse
import os
import shutil
import sys
import tempfile

import artifacts
import audit
import contracts
import core
import delta
import itself
from projects import Demo, Features, Recorded, Synthetic
from report import Report

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))

PARTS = ("itself", "contracts", "features", "recorded", "synthetic", "demo")


class Suite:
    def __init__(self, args, folder):
        self.args = args
        self.folder = folder
        self.report = Report()
        self.excluded = core.read_excluded(os.path.join(HERE, "excluded_columns.txt"))

    def round(self, label, p, c):
        """Both builds, then the mart a third time without SQL."""
        core.round_of_builds(self.report, label, p, c, self.excluded.get("nexus", {}))
        problems, n = audit.audit(p.lake)
        self.report.check(f"{label}: the mart computed again without SQL", problems[:20] if n else ["it has no row"], f"{n} rows")

    def recorded(self):
        p = Recorded(self.args.nexus, REPO, os.path.join(self.folder, "recorded"), self.args.shared)
        c = core.Core(self.args.dbt, p)
        p.first()
        self.round("recorded, first build", p, c)
        artifacts.check(self.report, p, c)
        p.second()
        self.round("recorded, more input", p, c)
        before = p.tables()
        p.build()
        grown = [f"{n}: {t['rows']} rows, then {now['rows']}" for n, t in before.items() if (now := p.tables()[n])["rows"] != t["rows"]]
        self.report.check("recorded: a build without news adds nothing", grown)
        delta.check(self.report, p, REPO)

    def itself(self):
        itself.check(self.report)

    def contracts(self):
        contracts.check(self.report, self.args.nexus, REPO, self.args.dbt, self.args.datacontract, self.folder)

    def features(self):
        p = Features(self.args.nexus, REPO, os.path.join(self.folder, "features"))
        c = core.Core(self.args.dbt, p)
        for nth, label in ((1, "first build"), (2, "changed seeds")):
            if nth == 2:
                p.second()
            core.round_of_builds(self.report, f"features, {label}", p, c, self.excluded["features"], ("--vars", f"{{round: {nth}}}"))
            artifacts.check(self.report, p, c)

    def synthetic(self):
        p = Synthetic(self.args.nexus, REPO, os.path.join(self.folder, "synthetic"))
        c = core.Core(self.args.dbt, p)
        with p.background("sim", "--listen", "127.0.0.1:0", "--seed", "7", "--speed", "max") as sim:
            p.configure(sim.port, Synthetic.SYMBOLS, ["wallstreetbets", "stocks"])
            for days_before, label in ((34, "early"), (18, "list changed"), (0, "list changed again, live stretch")):
                p.fill(sim, days_before)
                self.round(f"synthetic, {label}", p, c)

    def demo(self):
        p = Demo(self.args.nexus, REPO, os.path.join(self.folder, "demo"))
        c = core.Core(self.args.dbt, p)
        p.first()
        self.report.ok("demo: runs by itself")
        # the demo saw three asset lists in turn; dbt Core goes on from its snapshot and builds all else from nothing
        c.take_over("silver.snap_assets")
        self.round("demo", p, c)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--nexus", required=True, help="the built binary")
    a.add_argument("--dbt", required=True, help="dbt Core's command")
    a.add_argument("--datacontract", required=True, help="datacontract-cli's command")
    a.add_argument("--shared", required=True, help="folder of the real data")
    a.add_argument("--only", choices=PARTS, help="run one part")
    a.add_argument("--keep", action="store_true", help="keep the temporary projects")
    args = a.parse_args()
    folder = tempfile.mkdtemp(prefix="nexus-interop-")
    try:
        suite = Suite(args, folder)
        for name in PARTS:
            if args.only in (None, name):
                suite.report.section(name, getattr(suite, name))
    finally:
        if args.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    suite.report.end()


if __name__ == "__main__":
    main()
