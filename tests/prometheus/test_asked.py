"""Of the rules beside a case, those are evaluated that it asks about."""

import json

import pytest
from prometheus.asked import groups_asked

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
    ("test", "asked"),
    [
        (alert("Dark"), ["plant:sun:rate", "Dark"]),
        (alert("Dusk"), ["plant:sun:rate", "Dark", "Dusk"]),
        (alert("Calm"), ["Calm", "weather"]),
        (expression("1 - plant:wind:rate"), ["plant:wind:rate"]),
        (expression("count(ALERTS)"), ["plant:sun:rate", "Dark", "Dusk", "Calm", "weather"]),
        (expression("sun"), []),
    ],
)
def test_what_is_asked_about_is_evaluated_with_what_it_is_made_of(test, asked, tmp_path):
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "all", "rules": RULES}]}))
    groups = groups_asked([file], test)
    names = [rule.get("alert", rule.get("record")) for each in groups for rule in each["rules"]]
    assert names == asked
