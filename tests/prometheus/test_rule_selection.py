"""A case of rules is run with the rules that it needs alone."""

import json

import pytest
from prometheus.rule_selection import needed_groups

RULES = [
    {"record": "plant:sun:rate", "expr": "rate(sun[5m])"},
    {"record": "plant:wind:rate", "expr": "rate(wind[5m])"},
    {"alert": "Dark", "expr": "plant:sun:rate == 0"},
    {"alert": "Dusk", "expr": 'light < 1 unless ALERTS{\n  alertname="Dark"}'},
    {"alert": "Calm", "expr": "wind < 1", "annotations": {"summary": "{{ query `weather` }}"}},
    {"record": "weather", "expr": "fair"},
]


def alert(name):
    return {"alert_rule_test": [{"alertname": name}]}


def expression(text):
    return {"promql_expr_test": [{"expr": text}]}


@pytest.mark.parametrize(
    ("test", "needed"),
    [
        (alert("Dark"), ["plant:sun:rate", "Dark"]),
        (alert("Dusk"), ["plant:sun:rate", "Dark", "Dusk"]),
        (alert("Calm"), ["Calm", "weather"]),
        (expression("1 - plant:wind:rate"), ["plant:wind:rate"]),
        (expression("count(ALERTS)"), ["plant:sun:rate", "Dark", "Dusk", "Calm", "weather"]),
        (expression("sun"), []),
    ],
)
def test_a_rule_is_evaluated_with_those_that_it_refers_to(test, needed, tmp_path):
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "all", "rules": RULES}]}))
    groups = needed_groups([file], test)
    names = [rule.get("alert", rule.get("record")) for each in groups for rule in each["rules"]]
    assert names == needed
