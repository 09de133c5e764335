"""Input for the comparisons: recorded markets and talk, and the look-alike's synthetic world."""

import datetime
import os
import re

import pyarrow as pa

import messages
from nexus import Project, sim_clock

ENDED = re.compile(r"WAITING|ENDED")


def slice_of(tape, frames, path):
    """The first frames of a recorded tape (.zst) as a file of its own."""
    with pa.input_stream(tape, compression="zstd") as src, open(path, "wb") as out:
        left, rest = frames, b""
        while left > 0:
            block = src.read(1 << 20)
            if not block:
                out.write(rest)
                break
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            for line in lines[:left]:
                out.write(line + b"\n")
            left -= len(lines)
    return path


class Recorded(Project):
    """IBM ticks of 2013-10-09, AAPL's hour bars of 2014 and a year of talk about it; the second round brings more of each, and amendments."""

    def __init__(self, binary, repo, folder, shared):
        super().__init__(binary, repo, folder)
        self.shared = shared

    def _pull(self, start, end):
        bars = os.path.join(self.shared, "market/alpaca_rest/bars_1Hour_AAPL.ndjson.zst")
        talk = os.path.join(self.shared, "reddit/stocknet_tweets/listing_AAPL_2014-01-01_2014-12-31.ndjson.zst")
        with self.background("sim", "--listen", "127.0.0.1:0", "--bars", bars, "--reddit", talk) as sim:
            self.configure(sim.port, ["AAPL"], ["stocknet_aapl"])
            self.run("backfill", "alpaca", "bars", "--timeframe", "1Hour", "--start", start, "--end", end)
            self.run("backfill", "alpaca", "assets")
            self.run("backfill", "reddit", "--start", start, "--end", end)
        self.run("enrich")

    def first(self):
        self.configure(1, ["AAPL"], ["stocknet_aapl"])
        self.replay(os.path.join(self.shared, "market/alpaca_ws/stocks_2013-10-09_ibm.ndjson.zst"))
        self._pull("2014-01-01", "2014-06-30")

    def second(self):
        ws = os.path.join(self.shared, "market/alpaca_ws")
        self.replay(
            slice_of(os.path.join(ws, "stocks_2013-10-07_bac_ibm.ndjson.zst"), 30_000, os.path.join(self.folder, "slice.ndjson")),
            os.path.join(ws, "stock_bars_2014-06-06_aapl_twx.ndjson"),
            messages.write(os.path.join(self.folder, "amendments.ndjson"), messages.amendments(self, 5)),
            messages.write(os.path.join(self.folder, "updates.ndjson"), messages.updated_bars(self)),
            messages.write(os.path.join(self.folder, "refused.ndjson"), messages.REFUSED),
        )
        self._pull("2014-07-01", "2014-12-31")


class Features(Project):
    """A project of every kind of node, fed by seeds that change between two builds."""

    def __init__(self, binary, repo, folder):
        super().__init__(binary, repo, folder, dbt="tests/interop/features")
        self.configure(1, ["AAPL"], ["stocks"])

    def second(self):
        for name in os.listdir(os.path.join(self.dbt, "later")):
            os.replace(os.path.join(self.dbt, "later", name), os.path.join(self.dbt, "seeds", name))


class Synthetic(Project):
    """The look-alike's own world at three moments: its asset list changes between them, and the last brings a live stretch with amendments."""

    SYMBOLS = ["AAPL", "AMD", "GME", "MSFT", "NVDA", "SPY"]

    def fill(self, sim, days_before):
        live = datetime.datetime.fromisoformat(self.opens(sim).replace("Z", "+00:00"))
        now = live - datetime.timedelta(days=days_before)
        sim_clock(sim.port, f"{now:%Y-%m-%dT%H:%M:%SZ}")
        start = f"{live - datetime.timedelta(days=60):%Y-%m-%d}"
        end = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        self.run("backfill", "alpaca", "assets")
        for kind in ("bars", "trades", "corporate-actions", "calendar"):
            self.run("backfill", "alpaca", kind, "--start", start, "--end", end)
        if days_before == 0:
            self.listen()
        self.run("backfill", "reddit", "--start", start, "--end", end)
        self.run("enrich")

    def opens(self, sim):
        if not hasattr(self, "_opens"):
            self._opens = sim_clock(sim.port)
        return self._opens

    def listen(self):
        """Takes the live stretch over WebSocket, to its end."""
        with self.background("stream", "--listen", "127.0.0.1:0") as stream:
            stream.wait(ENDED)


class Demo(Project):
    """What `nexus demo` leaves: a lake that it built itself, step by step."""

    def __init__(self, binary, repo, folder):
        super().__init__(binary, repo, os.path.join(folder, "demo"))
        self.outer = folder

    def first(self):
        self.call(["--project", self.outer, "--json", "demo"])
