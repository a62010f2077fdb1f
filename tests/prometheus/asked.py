"""What a test of promtool asks about: the rules that can change its answer, and no other."""

import re

from prometheus.promtool import load

# More than what is used: names of labels and functions are no rule's, those in quotes an alert's.
_NAMES = re.compile(r"[A-Za-z_:][\w:]*")


def _name(rule):
    return rule.get("alert") or rule["record"]


def _text(rule):
    return "\n".join((rule["expr"], *rule.get("annotations", {}).values()))


def _names(text, alerts):
    """The names in an expression or a template; `ALERTS` of no name are those of all alerts."""
    names = set(_NAMES.findall(text))
    return names | alerts if re.search(r"\bALERTS\b(?!\{\s*alertname=)", text) else names


def groups_asked(files, test):
    """The groups of rule files, with what the test asks about and what that is made of."""
    groups = [group for file in files for group in load(file)["groups"]]
    rules = [rule for group in groups for rule in group["rules"]]
    alerts = {rule["alert"] for rule in rules if "alert" in rule}
    uses = [(_name(rule), _names(_text(rule), alerts)) for rule in rules]

    asked = {each["alertname"] for each in test.get("alert_rule_test", ())}
    asked.update(*(_names(each["expr"], alerts) for each in test.get("promql_expr_test", ())))
    known = set()
    while asked != known:
        known = set(asked)
        asked.update(*(used for name, used in uses if name in known))
    return [
        {**group, "rules": kept}
        for group in groups
        if (kept := [rule for rule in group["rules"] if _name(rule) in asked])
    ]
