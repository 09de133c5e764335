"""Counts checks and prints a line for each."""

import sys
import time
import traceback


class Report:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self._since = time.monotonic()

    def _line(self, mark, name, detail):
        now = time.monotonic()
        took, self._since = now - self._since, now
        print(f"{mark:5} {name:74} {detail:34} {took:6.1f} s", flush=True)

    def ok(self, name, detail=""):
        self.passed += 1
        self._line("ok", name, detail)

    def bad(self, name, problems):
        self.failed += 1
        self._line("FAIL", name, "")
        for problem in problems:
            for line in str(problem).splitlines():
                print(f"      | {line}", flush=True)

    def check(self, name, problems, detail=""):
        """A check that found nothing wrong has an empty list of problems."""
        if problems:
            self.bad(name, problems)
        else:
            self.ok(name, detail)

    def section(self, name, work):
        """Runs a part of the suite; what it raises is a failed check, and the parts after it still run."""
        print(f"== {name}", flush=True)
        try:
            work()
        except Exception as e:  # the cause is printed whole, the count tells that the part did not finish
            where = traceback.extract_tb(e.__traceback__)[-1]
            self.bad(f"{name}: did not finish", [f"{type(e).__name__} at {where.filename}:{where.lineno}", e])

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(0 if self.failed == 0 and self.passed > 0 else 1)
