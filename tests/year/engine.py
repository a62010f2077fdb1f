"""Prometheus itself evaluates the rules over a world: blocks in, alerts out.

Each rule is a range query, after those that it reads; what a recording rule gives becomes blocks as
well. `for` and `keep_firing_for` are reckoned here, as Prometheus does.
"""

import json
import re
import socket
import subprocess
import time
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml
from year.sky import DAY, EPOCH, STEP

RULES = sorted((Path(__file__).parents[2] / "prometheus" / "rules").glob("*.yml"))
BLOCK = "486h"  # the longest that both tools know and a range query has room for
SLICE = 20  # days of samples in a file, and of a query
UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY}


def seconds(duration):
    return sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)([smhd])", str(duration)))


def shipped():
    groups = (yaml.safe_load(path.read_text("utf-8"))["groups"] for path in RULES)
    return [rule for group in chain.from_iterable(groups) for rule in group["rules"]]


def levels(recorded):
    """Recording rules in the order in which they need one another: lists of rules."""
    names = {rule["record"] for rule in recorded}
    needs = {name: set() for name in names}
    for rule in recorded:
        needs[rule["record"]] |= set(re.findall(r"[a-zA-Z_:][\w:]*", rule["expr"])) & names
    done, order = set(), []
    while done < names:
        ready = {name for name in names - done if needs[name] <= done}
        if not ready:
            raise ValueError(f"rules that read one another in a circle: {sorted(names - done)}")
        order.append([rule for rule in recorded if rule["record"] in ready])
        done |= ready
    return order


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # because it is ours
    if done.returncode:
        raise RuntimeError(f"{command[:3]}: {done.stdout[-600:]}{done.stderr[-600:]}")


class Engine:
    """A Prometheus over a folder of blocks, and rules: those of the project."""

    def __init__(self, folder, rules=None):
        self.folder, self.data = folder, folder / "data"
        self.rules = shipped() if rules is None else rules
        self.data.mkdir(parents=True)
        (folder / "prometheus.yml").write_text("{}", "utf-8")

    def load(self, days):
        """Makes blocks of the rows of days."""
        for part in batched(days, SLICE):
            with self.block() as file:
                for day, rows in part:
                    times = range(EPOCH + day * DAY, EPOCH + (day + 1) * DAY, STEP)
                    for name, labels, values in rows:
                        write(file, name, labels, zip(times, values, strict=True))

    @contextmanager
    def block(self):
        """A file of samples, from which blocks are made."""
        path = self.folder / "samples.txt"
        with path.open("w", encoding="utf-8") as file:
            yield file
            file.write("# EOF\n")
        create = ("promtool", "tsdb", "create-blocks-from", f"--max-block-duration={BLOCK}")
        run(*create, "openmetrics", str(path), str(self.data))
        path.unlink()

    @contextmanager
    def serving(self):
        """A Prometheus that knows all blocks there are; gives its address."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        command = [
            "prometheus",
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.data}",
            "--storage.tsdb.retention.time=100y",
            f"--storage.tsdb.min-block-duration={BLOCK}",
            f"--storage.tsdb.max-block-duration={BLOCK}",
            f"--web.listen-address={address}",
            "--query.max-samples=500000000",
            "--query.timeout=1h",
            f"--query.lookback-delta={STEP - 1}s",  # blocks have no marks of staleness
            "--log.level=error",
        ]
        with (self.folder / "log").open("w") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # because it is ours
        try:
            wait(address, server)
            yield f"http://{address}"
        finally:
            server.terminate()
            server.wait()

    def record(self, span):
        """Evaluates the recording rules."""
        for level in levels([rule for rule in self.rules if "record" in rule]):
            with self.serving() as url:
                for part in batched(range(span.first, span.last), SLICE):
                    with self.block() as file:
                        for rule in level:
                            for day in part:
                                results(file, url, rule, day)

    def alerts(self, span):
        """What fires in a span: pairs of labels and the steps at which it does."""
        found = []
        with self.serving() as url:
            for rule in self.rules:
                if "alert" in rule:
                    found += firing(rule, held(url, rule["expr"], span))
        return found


def batched(items, size):
    """Lists of up to so many items."""
    items = iter(items)
    while part := list(islice(items, size)):
        yield part


def write(file, name, labels, samples):
    """Samples of a series, pairs of time and value, as lines of OpenMetrics."""
    told = ",".join(f'{key}="{value}"' for key, value in labels.items())
    digits = 10 if name.endswith(("_total", "_seconds")) else 5
    line = f"{name}{{{told}}} %.{digits}g %d\n"
    file.write("".join([line % (value, at) for at, value in samples if value is not None]))


def results(file, url, rule, day):
    """Writes what a recording rule finds in a day."""
    for metric, samples in query(url, rule["expr"], day, day + 1).items():
        labels = dict(metric) | {str(key): value for key, value in rule.get("labels", {}).items()}
        told = ",".join(f'{key}="{value}"' for key, value in labels.items())
        line = f"{rule['record']}{{{told}}} %s %d\n"
        file.write("".join([line % (value, at) for at, value in samples]))


def wait(address, server):
    """Until a server is ready."""
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError("Prometheus did not start")
        try:
            with urlopen(f"http://{address}/-/ready", timeout=5):  # because it is ours
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("Prometheus is not ready")


def query(url, expression, first, last):
    """What an expression gives from a day until before another: by labels, times and values."""
    asked = {
        "query": expression,
        "start": EPOCH + first * DAY,
        "end": EPOCH + last * DAY - STEP,
        "step": STEP,
    }
    found = {}
    with urlopen(f"{url}/api/v1/query_range?{urlencode(asked)}", timeout=3600) as answer:  # noqa: S310  # because it is ours
        for series in json.load(answer)["data"]["result"]:
            # Without its name: two of other names are one alert, and one recorded series.
            named = sorted((k, v) for k, v in series["metric"].items() if k != "__name__")
            found.setdefault(tuple(named), []).extend(series["values"])
    return {labels: sorted(samples) for labels, samples in found.items()}


def held(url, expression, span):
    """An expression over a span: by labels, the steps at which it has a value."""
    found = {}
    for first in range(span.first, span.last, SLICE):
        last = min(first + SLICE, span.last)
        for labels, samples in query(url, expression, first, last).items():
            steps = ((int(at) - EPOCH) // STEP for at, _ in samples)
            found.setdefault(labels, []).extend(steps)
    return found


def firing(rule, moments):
    """The alerts of a rule, by what its expression held: labels and the steps, in order."""
    waits, keeps = (seconds(rule.get(key, 0)) // STEP for key in ("for", "keep_firing_for"))
    for key, steps in moments.items():
        fires = fired(steps, waits, keeps)
        if fires:
            yield dict(key) | {"alertname": rule["alert"], **rule.get("labels", {})}, fires


def fired(steps, waits, keeps):
    """The steps at which an alert fires whose expression holds at the given ones."""
    fires, since, last = [], None, None
    for step in steps:
        on = bool(fires) and fires[-1] == last
        if on:
            fires += range(last + 1, min(step, last + 1 + keeps))
        if last is None or step - last > 1 + (keeps if on else 0):
            since = step
        if step - since >= waits:
            fires.append(step)
        last = step
    return fires + list(range(last + 1, last + 1 + keeps) if fires and fires[-1] == last else [])
