"""The rules, and promtool on them."""

import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RULE_FILES = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
CASE_FILES = sorted((HERE / "rules").glob("*.yml"))

PROMTOOL, AMTOOL = shutil.which("promtool"), shutil.which("amtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
needs_amtool = pytest.mark.skipif(AMTOOL is None, reason="amtool is not installed")


# libyaml's, where there is one: ten times as fast, and all rules and cases are read at each start.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads `98e3` as a number and `0x24`, which are 25 values, as text: as promtool does."""


_NUMBERS = {
    "tag:yaml.org,2002:int": r"[-+]?(0|[1-9]\d*)$",
    "tag:yaml.org,2002:float": r"[-+]?(\d+(\.\d*)?([eE][-+]?\d+)?|\.inf|\.nan)$",
}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in each if tag not in _NUMBERS]
    for first, each in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern in _NUMBERS.items():
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list("-+.0123456789"))


def load(path):
    return yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506  # because it is a safe one


GROUPS = list(chain.from_iterable(load(path)["groups"] for path in RULE_FILES))
ALL_RULES = list(chain.from_iterable(group["rules"] for group in GROUPS))
ALERTS = {rule["alert"]: rule for rule in ALL_RULES if "alert" in rule}
RECORDS = [rule for rule in ALL_RULES if "record" in rule]


# Go's collector runs whenever memory has doubled: a quarter of the time of weeks of rules.
ENVIRONMENT = {**os.environ, "GOGC": "400"}


def run(*command, stdin=None):
    """The exit status of a tool, and its output with its errors."""
    completed = subprocess.run(  # noqa: S603  # because it is ours
        command,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env=ENVIRONMENT,
    )
    return completed.returncode, completed.stdout + completed.stderr


def check_metrics(exposition):
    """The exit status and output of promtool for an exposition: `(0, "")` of a good one."""
    return run(PROMTOOL, "check", "metrics", stdin=exposition)


def run_rule_tests(path, tests, *, every, files):
    """Runs promtool's tests on rule files, evaluated `every` so often, one process a test."""
    order = [group["name"] for file in files for group in load(file)["groups"]]
    common = {
        "rule_files": [str(file) for file in files],
        "evaluation_interval": every,
        "group_eval_order": order,
    }

    def outcome(numbered):
        number, test = numbered
        document = path / f"{number}.json"  # which is YAML
        document.write_text(json.dumps({**common, "tests": [test]}), "utf-8")
        return run(PROMTOOL, "test", "rules", str(document))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(outcome, enumerate(tests)))
    failures = [output for status, output in outcomes if status]
    assert not failures, "\n".join(failures)  # in full: pytest rewrites no helper's assert
