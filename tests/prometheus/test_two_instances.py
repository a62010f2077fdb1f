"""Two replicas that show the same account for a while, under other names: every rule goes on."""

import re

import pytest
import yaml
from prometheus.promtool import CASES, PROMTOOL, load, needs_promtool, run

pytestmark = pytest.mark.slow

LONG = {"best", "decline", "overcast", "siblings", "snow"}  # weeks of rules that others have too
OTHER = 'instance="other:10052"'


def beside(series):
    """The same series, as another instance shows it that has read the names at another time."""
    series = re.sub(r'\b(plant_name|device_name)="', r'\1="Old ', series)
    if "instance=" in series:
        return re.sub(r'instance="[^"]*"', OTHER, series)
    name, brace, labels = series.partition("{")
    return f"{name}{{{OTHER}{',' if brace else '}'}{labels}"


def seldom(interval):
    """Four times as long: rules that fail do so at any moment, and nothing else is looked at."""
    return re.sub(r"\d+", lambda number: str(4 * int(number[0])), interval)


@needs_promtool
@pytest.mark.parametrize(
    "path", [each for each in CASES if each.stem not in LONG], ids=lambda path: path.stem
)
def test_no_rule_fails_while_two_instances_show_the_same(path, tmp_path):
    case = load(path)
    case["rule_files"] = [str((path.parent / rules).resolve()) for rules in case["rule_files"]]
    case["evaluation_interval"] = seldom(case["evaluation_interval"])
    for test in case["tests"]:
        test["input_series"] += [
            {**each, "series": beside(each["series"])} for each in test["input_series"]
        ]
    doubled = tmp_path / "doubled.yml"
    doubled.write_text(yaml.safe_dump(case))

    _, said = run(PROMTOOL, "test", "rules", str(doubled))

    assert re.findall(r"rule: .*err: .*", said) == []
