"""Prometheus evaluates the rules over simulated samples.

Each rule is a range query, after those whose results it reads; what a recording rule gives is
written back. `for` and `keep_firing_for` are evaluated here, as Prometheus does.
"""

import json
import re
import socket
import subprocess
import time
from contextlib import contextmanager
from urllib.parse import urlencode
from urllib.request import urlopen

from prometheus.promtool import ALL_RULES
from year.remote_write import send, series
from year.timeline import DAY_SECONDS, EPOCH, STEP_SECONDS, steps_of

QUERY_DAYS = 30  # of a range query; Prometheus gives no more points than 38 have
DURATION_UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY_SECONDS}
# Longer than any scenario: all samples stay in memory, where series may come in any order.
RETENTION = "10000d"


def duration_seconds(duration):
    """Seconds of a duration as Prometheus writes it."""
    return sum(
        int(n) * DURATION_UNITS[unit] for n, unit in re.findall(r"(\d+)([smhd])", str(duration))
    )


def referenced_names(rule):
    """The names in a rule's expression, among them all metrics."""
    return set(re.findall(r"[a-zA-Z_:][\w:]*", rule["expr"]))


def needed_recording_rules(rules):
    """The recording rules whose results the alerts among the rules need, in order of evaluation."""
    references = {}
    for rule in rules:
        if "record" in rule:
            references.setdefault(rule["record"], set()).update(referenced_names(rule))
    needed = set()
    new = set().union(*(referenced_names(rule) for rule in rules if "alert" in rule))
    while new := (new & references.keys()) - needed:
        needed |= new
        new = set().union(*(references[name] for name in new))
    recording = [rule for rule in rules if rule.get("record") in needed]
    return in_evaluation_order(recording, {name: references[name] & needed for name in needed})


def in_evaluation_order(rules, references):
    """The recording rules, each after those that it references."""
    done, order = set(), []
    while done < references.keys():
        remaining = references.keys() - done
        ready = {name for name in remaining if references[name] <= done}
        if not ready:
            raise ValueError(f"rules that read one another in a circle: {sorted(remaining)}")
        order += [rule for rule in rules if rule["record"] in ready]
        done |= ready
    return order


def query_ranges(first, last):
    """The days from first to before last, as pairs of that kind short enough for a query."""
    starts = range(first, last, QUERY_DAYS)
    return [(start, min(start + QUERY_DAYS, last)) for start in starts]


class Engine:
    """Evaluates rules, those of the project unless others are given, in a Prometheus."""

    def __init__(self, url, rules=None):
        self.url, self.rules = url, ALL_RULES if rules is None else rules

    def load(self, days):
        """Writes the rows of days."""
        for day, rows in days:
            times = [EPOCH + step * STEP_SECONDS for step in steps_of(day)]
            send(
                self.url,
                (
                    series(name, labels, zip(times, values, strict=True))
                    for name, labels, values in rows
                ),
            )

    def record(self, first, last):
        """Evaluates the recording rules that alerts need, from a day to before another."""
        for rule in needed_recording_rules(self.rules):
            own_labels = {key: str(value) for key, value in rule.get("labels", {}).items()}
            for days in query_ranges(first, last):
                results = self.query(rule["expr"], *days).items()
                send(
                    self.url,
                    (
                        series(rule["record"], dict(labels) | own_labels, samples)
                        for labels, samples in results
                    ),
                )

    def alerts(self, first, last):
        """What fires from a day to before another: pairs of labels and the steps of firing."""
        for rule in self.rules:
            if "alert" in rule:
                yield from rule_alerts(rule, self.active_steps(rule["expr"], first, last))

    def active_steps(self, expression, first, last):
        """By labels, the steps from a day to before another at which an expression has a value."""
        active = {}
        for days in query_ranges(first, last):
            for labels, samples in self.query(expression, *days).items():
                steps = ((at - EPOCH) // STEP_SECONDS for at, _ in samples)
                active.setdefault(labels, []).extend(steps)
        return active

    def query(self, expression, first, last):
        """By labels, the samples of an expression from a day to before another."""
        parameters = {
            "query": expression,
            "start": EPOCH + first * DAY_SECONDS,
            "end": EPOCH + last * DAY_SECONDS - STEP_SECONDS,
            "step": STEP_SECONDS,
        }
        results = {}
        query = f"{self.url}/api/v1/query_range?{urlencode(parameters)}"
        with urlopen(query, timeout=3600) as answer:  # noqa: S310  # because it is ours
            for result in json.load(answer)["data"]["result"]:
                # Without its name: two of other names are one alert, and one recorded series.
                labels = sorted((k, v) for k, v in result["metric"].items() if k != "__name__")
                samples = ((int(at), float(value)) for at, value in result["values"])
                results.setdefault(tuple(labels), []).extend(samples)
        return {labels: sorted(samples) for labels, samples in results.items()}


@contextmanager
def prometheus(folder):
    """Runs a Prometheus that scrapes nothing, with its data in a folder; gives its URL."""
    (folder / "prometheus.yml").write_text("{}", "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--storage.tsdb.retention.time={RETENTION}",
        f"--storage.tsdb.min-block-duration={RETENTION}",
        f"--storage.tsdb.max-block-duration={RETENTION}",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
        "--query.max-samples=500000000",
        "--query.timeout=1h",
        f"--query.lookback-delta={STEP_SECONDS - 1}s",  # as nothing is marked as stale
        "--log.level=error",
    ]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # because it is ours
    try:
        wait_until_ready(address, server)
        yield f"http://{address}"
    finally:
        server.kill()
        server.wait()


def wait_until_ready(address, server):
    """Waits for a server; raises RuntimeError if it ends or takes half a minute."""
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError("Prometheus did not start")
        try:
            with urlopen(f"http://{address}/-/ready", timeout=5):  # because it is ours
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("Prometheus is not ready")


def rule_alerts(rule, active):
    """The alerts of a rule, from the active steps by labels: labels and the steps of firing."""
    pending, keep = (
        duration_seconds(rule.get(key, 0)) // STEP_SECONDS for key in ("for", "keep_firing_for")
    )
    for labels, steps in active.items():
        fires = firing_steps(steps, pending, keep)
        if fires:
            yield dict(labels) | {"alertname": rule["alert"], **rule.get("labels", {})}, fires


def firing_steps(active, pending, keep):
    """The steps at which an alert fires whose expression has a value at the active ones.

    It is pending for some steps before, and keeps firing for some after.
    """
    fires, since, last = [], None, None
    for step in active:
        firing = bool(fires) and fires[-1] == last
        if firing:
            fires += range(last + 1, min(step, last + 1 + keep))
        if last is None or step - last > 1 + (keep if firing else 0):
            since = step
        if step - since >= pending:
            fires.append(step)
        last = step
    return fires + list(range(last + 1, last + 1 + keep) if fires and fires[-1] == last else [])
