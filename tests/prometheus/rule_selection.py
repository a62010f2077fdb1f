"""The rules that a test of promtool needs: those that can change its result, and no other."""

import re

from prometheus.promtool import load

# More than metrics: names of labels and functions are no rule's, those in quotes an alert's.
_NAMES = re.compile(r"[A-Za-z_:][\w:]*")


def _name(rule):
    return rule.get("alert") or rule["record"]


def _text(rule):
    return "\n".join((rule["expr"], *rule.get("annotations", {}).values()))


def _referenced_names(text, alerts):
    """The names in an expression or a template; `ALERTS` without a name refers to all alerts."""
    names = set(_NAMES.findall(text))
    return names | alerts if re.search(r"\bALERTS\b(?!\{\s*alertname=)", text) else names


def needed_groups(files, test):
    """The groups of rule files with the rules that a test names and those that they refer to."""
    groups = [group for file in files for group in load(file)["groups"]]
    rules = [rule for group in groups for rule in group["rules"]]
    alerts = {rule["alert"] for rule in rules if "alert" in rule}
    references = [(_name(rule), _referenced_names(_text(rule), alerts)) for rule in rules]

    needed = {each["alertname"] for each in test.get("alert_rule_test", ())}
    expressions = (each["expr"] for each in test.get("promql_expr_test", ()))
    needed.update(*(_referenced_names(expression, alerts) for expression in expressions))
    known = set()
    while needed != known:
        known = set(needed)
        needed.update(*(names for rule, names in references if rule in known))
    return [
        {**group, "rules": selected}
        for group in groups
        if (selected := [rule for rule in group["rules"] if _name(rule) in needed])
    ]
