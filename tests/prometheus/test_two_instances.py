"""Two replicas that show the same account for a while, under other names: every rule goes on."""

import re

import pytest
import yaml
from prometheus.promtool import CASE_FILES, PROMTOOL, load, needs_promtool, run

pytestmark = pytest.mark.slow

SKIPPED_CASES = {
    "best",
    "decline",
    "overcast",
    "siblings",
    "snow",
}  # weeks of rules that others have too
OTHER_INSTANCE = 'instance="other:10052"'


def of_other_instance(series):
    """The same series of another instance, which read the names at another time."""
    series = re.sub(r'\b(plant_name|device_name)="', r'\1="Old ', series)
    if "instance=" in series:
        return re.sub(r'instance="[^"]*"', OTHER_INSTANCE, series)
    name, brace, labels = series.partition("{")
    return f"{name}{{{OTHER_INSTANCE}{',' if brace else '}'}{labels}"


def four_times(interval):
    """An interval four times as long, which suffices to see rules that fail."""
    return re.sub(r"\d+", lambda number: str(4 * int(number[0])), interval)


@needs_promtool
@pytest.mark.parametrize(
    "path",
    [each for each in CASE_FILES if each.stem not in SKIPPED_CASES],
    ids=lambda path: path.stem,
)
def test_no_rule_fails_while_two_instances_show_the_same(path, tmp_path):
    case = load(path)
    case["rule_files"] = [str((path.parent / rules).resolve()) for rules in case["rule_files"]]
    case["evaluation_interval"] = four_times(case["evaluation_interval"])
    for test in case["tests"]:
        test["input_series"] += [
            {**each, "series": of_other_instance(each["series"])} for each in test["input_series"]
        ]
    doubled = tmp_path / "doubled.yml"
    doubled.write_text(yaml.safe_dump(case))

    _, output = run(PROMTOOL, "test", "rules", str(doubled))

    assert re.findall(r"rule: .*err: .*", output) == []
