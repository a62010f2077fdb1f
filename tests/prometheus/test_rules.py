"""The rules, the examples beside them and their runbook."""

import json
import re
import subprocess

import pytest
from prometheus.promtool import (
    ALERTS,
    ALL_RULES,
    AMTOOL,
    CASE_FILES,
    GROUPS,
    PROMTOOL,
    RECORDS,
    ROOT,
    RULE_FILES,
    load,
    needs_amtool,
    needs_promtool,
    run,
)
from prometheus.rule_selection import needed_groups

from exporter import cli

pytestmark = pytest.mark.slow

PROMETHEUS = ROOT / "prometheus"
TITLE, TEXT = (f'{{{{ template "fusionsolar.{part}" . }}}}' for part in ("title", "text"))
RUNBOOK = (ROOT / "docs" / "alerts.md").read_text("utf-8")
ALERT_TESTS = [
    test
    for case in CASE_FILES
    for group in load(case)["tests"]
    for test in group.get("alert_rule_test", ())
]


@needs_promtool
def test_promtool_finds_the_rules_right():
    status, output = run(
        PROMTOOL, "check", "rules", "--lint=all", "--lint-fatal", *map(str, RULE_FILES)
    )
    assert status == 0, output


@needs_promtool
def test_promtool_finds_the_example_right():
    status, output = run(PROMTOOL, "check", "config", str(PROMETHEUS / "prometheus.yml"))
    assert status == 0, output


@needs_amtool
def test_amtool_finds_the_example_right():
    status, output = run(AMTOOL, "check-config", str(PROMETHEUS / "alertmanager.yml"))
    assert status == 0, output


@needs_promtool
@pytest.mark.parametrize(
    ("case", "number"),
    [(case, number) for case in CASE_FILES for number, _ in enumerate(load(case)["tests"])],
    ids=lambda each: getattr(each, "stem", each),
)
def test_the_rules_do_what_their_cases_say(case, number, tmp_path):
    document = load(case)
    test = document["tests"][number]
    files = [case.parent / file for file in document["rule_files"]]
    rules = {"groups": needed_groups(files, test)}
    (tmp_path / "rules.json").write_text(json.dumps(rules), "utf-8")  # which is YAML
    document |= {"rule_files": ["rules.json"], "tests": [test]}
    (tmp_path / "case.json").write_text(json.dumps(document), "utf-8")

    status, output = run(PROMTOOL, "test", "rules", str(tmp_path / "case.json"))

    assert status == 0, output


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_alert_has_a_case_that_fires_and_one_that_is_silent(alert):
    expected = [test["exp_alerts"] for test in ALERT_TESTS if test["alertname"] == alert]
    assert {bool(alerts) for alerts in expected} == {True, False}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_what_it_is_and_where(alert):
    rule = ALERTS[alert]
    texts = rule["annotations"]
    assert re.fullmatch(r"FusionSolar[A-Z]\w+", alert)
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert texts.keys() == {"summary", "description", "runbook_url"}
    assert re.fullmatch(r"[A-Z][^{}]*\.", texts["summary"])
    for name in ("device_name", "plant_name"):
        assert (name in rule["expr"]) <= (f"$labels.{name}" in texts["description"]), name


def test_the_runbook_has_one_section_an_alert():
    sections = re.findall(r"^## (FusionSolar\w+)$", RUNBOOK, re.MULTILINE)
    assert sorted(sections) == sorted(ALERTS)
    for alert, rule in ALERTS.items():
        assert rule["annotations"]["runbook_url"] == f"docs/alerts.md#{alert.lower()}"


def test_the_runbook_tells_the_severity_of_each_alert():
    documented = re.findall(r"^## (FusionSolar\w+)\n\n\*\*(\w+)\.\*\*", RUNBOOK, re.MULTILINE)
    assert dict(documented) == {alert: rule["labels"]["severity"] for alert, rule in ALERTS.items()}


def test_the_runbook_tells_how_long_each_alert_takes():
    sections = re.split(r"^## (FusionSolar\w+)$", RUNBOOK, flags=re.MULTILINE)[1:]
    documented = dict(zip(sections[::2], sections[1::2], strict=True))
    assert [alert for alert, text in documented.items() if text.count("\n- *Takes:* ") != 1] == []


def test_a_recording_rule_is_named_by_level_metric_and_operation():
    series = [(rule["record"], *rule.get("labels", {}).items()) for rule in RECORDS]
    assert len(set(series)) == len(series)
    names = [rule["record"] for rule in RECORDS]
    wrong = [name for name in names if not re.fullmatch(r"[a-z]+:fusionsolar_\w+:\w+", name)]
    assert wrong == []


# Series that users may record.
RECORDED_BY_USERS = {"threshold:fusionsolar_alerts:own", "maintenance:fusionsolar_account:own"}


def test_rules_use_only_metrics_that_there_are(capsys):
    cli.main(["metrics", "--format", "json"])
    rows = json.loads(capsys.readouterr().out)
    known = {row[key] for row in rows for key in ("metric", "code_metric") if row.get(key)}
    known |= {rule["record"] for rule in RECORDS} | RECORDED_BY_USERS
    for rule in ALL_RULES:
        used = re.findall(r"\b(?:[a-z]+:)?fusionsolar_\w+(?::\w+)?", rule["expr"])
        assert set(used) - known == set(), rule


def test_a_threshold_has_a_default_and_is_used():
    defaults = [rule["labels"]["threshold"] for rule in RECORDS if "labels" in rule]
    expressions = "\n".join(rule["expr"] for rule in ALL_RULES)
    used = re.findall(r'threshold:fusionsolar_alerts:used\{threshold="(\w+)"\}', expressions)
    assert sorted(set(used)) == sorted(defaults)


def test_no_rule_names_a_job():
    assert [rule for rule in ALL_RULES if re.search(r"\bjob\s*=", rule["expr"])] == []


def test_a_group_has_a_name_of_its_own():
    names = [group["name"] for group in GROUPS]
    assert len(set(names)) == len(names)


@needs_amtool
def test_a_message_names_plant_device_and_runbook():
    rule = ALERTS["FusionSolarInverterSilent"]
    labels = {"plant_name": "Harbour", "device_name": "Inverter 2", **rule["labels"]}
    data = {
        "status": "firing",
        "commonLabels": labels,
        "commonAnnotations": rule["annotations"],
        "alerts": [
            {
                "status": "firing",
                "labels": labels,
                "annotations": rule["annotations"],
                "startsAt": "2026-06-21T12:30:00Z",
            }
        ],
    }
    completed = subprocess.run(  # noqa: S603  # because it is ours
        [
            AMTOOL,
            "template",
            "render",
            f"--template.glob={PROMETHEUS}/templates/*.tmpl",
            f"--template.text={TITLE}\n{TEXT}",
            "--template.data=/dev/stdin",
        ],
        input=json.dumps(data),
        capture_output=True,
        text=True,
        check=True,
    )
    assert completed.stdout.splitlines()[:2] == [
        "FIRING Harbour: Inverter 2: An inverter is silent while its siblings produce.",
        "warning: An inverter is silent while its siblings produce.",
    ]
    assert completed.stdout.rstrip().endswith(
        "What to do: http://localhost:10052/docs/alerts.md#fusionsolarinvertersilent"
    )
