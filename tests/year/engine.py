"""Prometheus itself evaluates the rules over a world: samples in, alerts out.

Each rule is a range query, after those that it reads; what a recording rule gives is written back.
`for` and `keep_firing_for` are reckoned here, as Prometheus does.
"""

import json
import re
import socket
import subprocess
import time
from contextlib import contextmanager
from urllib.parse import urlencode
from urllib.request import urlopen

from prometheus.promtool import ALL
from year.remote_write import send, series
from year.sky import DAY, EPOCH, STEP

SLICE = 30  # days of a query, of the 38 for which Prometheus gives as many points
UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY}
# All samples stay in memory, where they may come in any order of their series.
ENDLESS = "10000d"


def seconds(duration):
    return sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)([smhd])", str(duration)))


def read(rule):
    """The names that a rule's expression may read."""
    return set(re.findall(r"[a-zA-Z_:][\w:]*", rule["expr"]))


def ordered(rules):
    """The recording rules that the alerts among the rules need, each after those that it reads."""
    needs = {}
    for rule in rules:
        if "record" in rule:
            needs.setdefault(rule["record"], set()).update(read(rule))
    names, found = set(), set().union(*(read(rule) for rule in rules if "alert" in rule))
    while found := (found & needs.keys()) - names:
        names |= found
        found = set().union(*(needs[name] for name in found))
    recorded = [rule for rule in rules if rule.get("record") in names]
    needs = {name: needs[name] & names for name in names}
    done, order = set(), []
    while done < names:
        ready = {name for name in names - done if needs[name] <= done}
        if not ready:
            raise ValueError(f"rules that read one another in a circle: {sorted(names - done)}")
        order += [rule for rule in recorded if rule["record"] in ready]
        done |= ready
    return order


def slices(span):
    """The days of a span in pieces that can be asked for at once, as (first, last)."""
    firsts = range(span.first, span.last, SLICE)
    return [(first, min(first + SLICE, span.last)) for first in firsts]


class Engine:
    """A Prometheus with rules, those of the project unless others are given."""

    def __init__(self, url, rules=None):
        self.url, self.rules = url, ALL if rules is None else rules

    def load(self, days):
        """Writes the rows of days."""
        for day, rows in days:
            times = range(EPOCH + day * DAY, EPOCH + (day + 1) * DAY, STEP)
            send(
                self.url,
                (
                    series(name, labels, zip(times, values, strict=True))
                    for name, labels, values in rows
                ),
            )

    def record(self, span):
        """Evaluates the recording rules that alerts need."""
        for rule in ordered(self.rules):
            more = {key: str(value) for key, value in rule.get("labels", {}).items()}
            for part in slices(span):
                found = self.query(rule["expr"], *part).items()
                send(self.url, (series(rule["record"], dict(k) | more, s) for k, s in found))

    def alerts(self, span):
        """What fires in a span: pairs of labels and the steps at which it does."""
        for rule in self.rules:
            if "alert" in rule:
                yield from firing(rule, self.held(rule["expr"], span))

    def held(self, expression, span):
        """An expression over a span: by labels, the steps at which it has a value."""
        found = {}
        for part in slices(span):
            for labels, samples in self.query(expression, *part).items():
                steps = ((at - EPOCH) // STEP for at, _ in samples)
                found.setdefault(labels, []).extend(steps)
        return found

    def query(self, expression, first, last):
        """What an expression gives from a day until before another: by labels, its samples."""
        asked = {
            "query": expression,
            "start": EPOCH + first * DAY,
            "end": EPOCH + last * DAY - STEP,
            "step": STEP,
        }
        found = {}
        query = f"{self.url}/api/v1/query_range?{urlencode(asked)}"
        with urlopen(query, timeout=3600) as answer:  # noqa: S310  # because it is ours
            for each in json.load(answer)["data"]["result"]:
                # Without its name: two of other names are one alert, and one recorded series.
                named = sorted((k, v) for k, v in each["metric"].items() if k != "__name__")
                samples = ((int(at), float(value)) for at, value in each["values"])
                found.setdefault(tuple(named), []).extend(samples)
        return {labels: sorted(samples) for labels, samples in found.items()}


@contextmanager
def prometheus(folder):
    """A Prometheus of its own that scrapes nothing; gives its URL."""
    (folder / "prometheus.yml").write_text("{}", "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--storage.tsdb.retention.time={ENDLESS}",
        f"--storage.tsdb.min-block-duration={ENDLESS}",
        f"--storage.tsdb.max-block-duration={ENDLESS}",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
        "--query.max-samples=500000000",
        "--query.timeout=1h",
        f"--query.lookback-delta={STEP - 1}s",  # as nothing is marked as stale
        "--log.level=error",
    ]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # because it is ours
    try:
        wait(address, server)
        yield f"http://{address}"
    finally:
        server.kill()
        server.wait()


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
