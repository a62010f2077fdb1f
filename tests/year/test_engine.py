"""The engine finds what Prometheus' own tests of rules find."""

import json
import shutil
from pathlib import Path

import pytest
from prometheus.promtool import run as promtool
from year.engine import (
    Engine,
    duration_seconds,
    firing_steps,
    needed_recording_rules,
    prometheus,
    query_ranges,
)
from year.timeline import STEPS_PER_DAY

needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")),
    reason="prometheus and promtool are not installed",
)

RULES = [
    {"record": "a:twice", "expr": "a * 2 > 1 or 0 * b"},
    {"record": "a:late", "expr": "max_over_time(a:twice[10m]) > 5 or a > 0 or b"},
    {"alert": "High", "expr": "a:late > 8", "for": "10m", "labels": {"severity": "info"}},
    {"alert": "Kept", "expr": "a > 6", "keep_firing_for": "10m"},
]
VALUES = [0, 1, 5, 5, 5, 1, 1, 7, None, None, 1, 7, 1, 9, 9, 9, 9, 1, 1, 1]


def test_for_waits_and_keep_firing_for_holds_on():
    assert firing_steps([3, 4, 5, 6, 9, 10], 2, 0) == [5, 6]
    assert firing_steps([3, 4, 5, 8, 20], 1, 2) == [4, 5, 6, 7, 8, 9, 10]
    assert firing_steps([3, 4, 5, 9, 10], 1, 2) == [4, 5, 6, 7, 10, 11, 12]
    assert firing_steps([], 1, 1) == []


def test_durations_are_prometheus_own():
    assert [duration_seconds(each) for each in (0, "90s", "1h30m", "14d")] == [
        0,
        90,
        5400,
        1_209_600,
    ]


def test_rules_come_after_those_that_they_read():
    assert needed_recording_rules([RULES[1], RULES[0], RULES[2]]) == RULES[:2]


def test_rules_that_no_alert_needs_are_left_out():
    unneeded = {"record": "a:unneeded", "expr": "a:twice"}
    assert needed_recording_rules([*RULES, unneeded]) == RULES[:2]
    assert needed_recording_rules([*RULES[:2], RULES[3]]) == []


def test_long_windows_are_queried_in_pieces():
    assert query_ranges(-15, 50) == [(-15, 15), (15, 45), (45, 50)]


def test_rules_in_a_circle_are_named():
    circle = [
        {"record": "a:x", "expr": "a:y"},
        {"record": "a:y", "expr": "a:x offset 5m"},
        {"alert": "X", "expr": "a:x"},
    ]
    with pytest.raises(ValueError, match="in a circle"):
        needed_recording_rules(circle)


@pytest.mark.slow
@needs_prometheus
def test_it_finds_what_promtool_finds(tmp_path):
    values = VALUES + [None] * (STEPS_PER_DAY - len(VALUES))
    with prometheus(tmp_path) as url:
        engine = Engine(url, RULES)
        engine.load([(0, [("a", {"x": "y"}, values), ("b", {"x": "y"}, [3] * STEPS_PER_DAY)])])
        engine.record(0, 1)
        found = {labels["alertname"]: steps for labels, steps in engine.alerts(0, 1)}
    assert found == {name: promtool_firing_steps(tmp_path, name) for name in ("High", "Kept")}


def promtool_firing_steps(path: Path, name):
    """The steps at which promtool has an alert fire."""
    series_values = " ".join("stale" if value is None else str(value) for value in [*VALUES, None])
    (path / "rules.json").write_text(json.dumps({"groups": [{"name": "g", "rules": RULES}]}))
    queries = [
        {"expr": f'ALERTS{{alertname="{name}",alertstate="firing"}}', "eval_time": f"{5 * step}m"}
        for step in range(len(VALUES) + 10)
    ]
    test = {
        "interval": "5m",
        "input_series": [
            {"series": 'a{x="y"}', "values": series_values},
            {"series": 'b{x="y"}', "values": "3x30"},
        ],
        "promql_expr_test": queries,
    }
    document = {"rule_files": ["rules.json"], "evaluation_interval": "5m", "tests": [test]}
    (path / "test.json").write_text(json.dumps(document))
    _, text = promtool("promtool", "test", "rules", str(path / "test.json"))
    lines = [line for line in text.splitlines() if "time: " in line]
    assert lines, text
    return [duration_seconds(line.split("time: ")[1].split(",")[0]) // 300 for line in lines]
