"""A temporary project that the built binary works on."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import urllib.request

PORT = re.compile(r"on port (\d+)")

CONFIG = """\
lake: {{root: lake, flush: {{max_delay: 1s}}}}
state: .nexus
alpaca:
  key: look-alike
  secret: look-alike
  data_url: http://127.0.0.1:{port}
  trading_url: http://127.0.0.1:{port}
  stream_url: ws://127.0.0.1:{port}
  feed: iex
  symbols: [{symbols}]
  channels: [trades, quotes, bars]
reddit:
  client_id: look-alike
  client_secret: look-alike
  token_url: http://127.0.0.1:{port}
  api_url: http://127.0.0.1:{port}
  subreddits: [{subreddits}]
"""


class CommandFailed(Exception):
    pass


class Background:
    """A command that listens. Its stderr is kept; port and wait() read it."""

    def __init__(self, args):
        self.args = args
        self.lines = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.port = int(self.wait(PORT).group(1))

    def _read(self):
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self.lines.append(None)
            self._news.notify_all()

    def wait(self, pattern):
        """The first match of the pattern in what the command says."""
        seen = 0
        with self._news:
            while True:
                for line in self.lines[seen:]:
                    if line is None:
                        raise CommandFailed(f"{' '.join(self.args)} ended without saying {pattern.pattern!r}:\n" + self.text())
                    found = pattern.search(line)
                    if found:
                        return found
                seen = len(self.lines)
                self._news.wait()

    def text(self):
        return "".join(line for line in self.lines if line is not None)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait()
        self._reader.join()
        if code != 0:
            raise CommandFailed(f"{' '.join(self.args)} ended with {code}:\n{self.text()}")


class Project:
    def __init__(self, binary, repo, folder, dbt="dbt"):
        self.binary = binary
        self.folder = folder
        self.lake = os.path.join(folder, "lake")
        self.dbt = os.path.join(folder, "dbt")
        self.target = os.path.join(folder, "target-nexus")
        self._exports = 0
        os.makedirs(folder, exist_ok=True)
        os.symlink(os.path.join(repo, "contracts"), os.path.join(folder, "contracts"))
        shutil.copytree(os.path.join(repo, dbt), self.dbt, ignore=shutil.ignore_patterns("target", "logs"))

    def configure(self, port, symbols, subreddits):
        with open(os.path.join(self.folder, "nexus.yml"), "w", encoding="utf-8") as f:
            f.write(CONFIG.format(port=port, symbols=", ".join(symbols), subreddits=", ".join(subreddits)))

    def run(self, *words):
        """Runs a command on this project to its end; its stdout."""
        return self.call(["--project", self.folder, *words])

    def call(self, words):
        r = subprocess.run([self.binary, "--no-progress", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if r.returncode != 0:
            tail = "\n".join((r.stdout + r.stderr).splitlines()[-30:])
            raise CommandFailed(f"nexus {' '.join(words)} ended with {r.returncode}:\n{tail}")
        return r.stdout

    def json(self, *words):
        return json.loads(self.run("--json", *words))

    @contextlib.contextmanager
    def background(self, *words):
        b = Background([self.binary, "--project", self.folder, "--no-progress", *words])
        try:
            yield b
        except BaseException:
            b.process.kill()
            b.process.wait()
            raise
        b.stop()

    def replay(self, *files):
        """Sends files through a listener of its own; the totals."""
        with self.background("stream", "--listen", "127.0.0.1:0", "--no-alpaca") as listener:
            url = f"ws://127.0.0.1:{listener.port}/ws/market-data"
            return [self.json("replay", f, "--speed", "max", "--to", url) for f in files]

    def tables(self):
        """Every table of the lake: name -> {folder, version, rows, files}; folder is absolute."""
        found = self.json("lake", "ls")["tables"]
        return {t["table"]: dict(t, folder=os.path.join(self.lake, t["folder"])) for t in found}

    def export(self, sql):
        """The rows of a query as a new Parquet file; its path."""
        self._exports += 1
        os.makedirs(os.path.join(self.folder, "exports"), exist_ok=True)
        path = os.path.join(self.folder, "exports", f"{self._exports}.parquet")
        self.run("-q", "sql", "--parquet", "-o", path, sql)
        return path

    def build(self, *words):
        return self.json("dbt", "build", "--target-path", self.target, *words)


def sim_clock(port, now=None):
    """Reads or sets the clock of a running look-alike (RFC 3339 text)."""
    body = None if now is None else json.dumps({"now": now}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/sim/clock", data=body) as r:
        return json.load(r)["now"]
