"""All queries of the dashboards and expressions of the rules."""

import json
import re
from dataclasses import dataclass

from prometheus.promtool import RULE_FILES, load
from stack.services import ROOT

# What Grafana inserts where nothing is selected, and for a Prometheus that scrapes each second.
VARIABLES = {
    "$__rate_interval": "5s",
    "$__range": "1h",
    "$job": ".+",
    "$instance": ".+",
    "$account": ".+",
    "$import_price": "0.30",
    "$export_price": "0.08",
}
# Draws a sparkline without data: it must not pass for data here.
EMPTY_SPARKLINE = ' or sum(up{job=~"$job", instance=~"$instance"}) * NaN'
METRIC_NAME = re.compile(r"(?<![\w:])fusionsolar_\w+(?!:)\b")  # of the exporter's own series


@dataclass(frozen=True)
class Query:
    """An expression and where it stands: a dashboard or file, and a panel or rule of it."""

    place: str
    title: str
    part: str
    expression: str

    @property
    def keys(self):
        """Its names in lists: its panel or rule, or only itself."""
        return {(self.place, self.title), (self.place, self.title, self.part)}

    def __str__(self):
        return f"{self.place}: {self.title} {self.part}".strip()

    def choices(self, devices):
        """The expression for each plant and device that can be selected."""
        text = self.expression.removesuffix(EMPTY_SPARKLINE)
        for variable, value in VARIABLES.items():
            text = text.replace(variable, value)
        text = text.replace('=~"$plant"', '=~".+"')
        return {
            text.replace("$plant", device["plant_code"]).replace("$device", device["device_id"])
            for device in devices
        }


def _variable_expression(query):
    """The expression in label_values(SERIES, LABEL) or query_result(EXPRESSION)."""
    kind, _, inner = query.removesuffix(")").partition("(")
    return inner.rpartition(",")[0] if kind == "label_values" else inner


def _dashboard_queries():
    for file in sorted((ROOT / "grafana" / "dashboards").glob("*.json")):
        board = json.loads(file.read_text("utf-8"))
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                expression = _variable_expression(variable["query"]["query"])
                yield Query(board["uid"], f"variable {variable['name']}", "", expression)
        panels = [each for panel in board["panels"] for each in (panel, *panel.get("panels", ()))]
        for panel in panels:
            for target in panel.get("targets", ()):
                yield Query(board["uid"], panel["title"], target["refId"], target["expr"])


def _rules():
    for file in RULE_FILES:
        for group in load(file)["groups"]:
            yield from ((file.name, rule) for rule in group["rules"])


PANELS = list(_dashboard_queries())
RECORDS = [Query(file, r["record"], "", r["expr"]) for file, r in _rules() if "record" in r]
ALERTS = [Query(file, r["alert"], "", r["expr"]) for file, r in _rules() if "alert" in r]


def _alert_series():
    """The series that alerts read: without them an alert could never fire."""
    names = {name for alert in ALERTS for name in METRIC_NAME.findall(alert.expression)}
    return [Query("alerts", name, "", name) for name in sorted(names)]


SERIES = _alert_series()
