"""Everything that dashboards and rules ask of Prometheus."""

import json
import re
from dataclasses import dataclass

from prometheus.promtool import RULES, load
from stack.services import ROOT

# What Grafana puts in for people who chose nothing, and for a Prometheus that scrapes each second.
CHOSEN = {
    "$__rate_interval": "5s",
    "$__range": "1h",
    "$job": ".+",
    "$instance": ".+",
    "$account": ".+",
    "$import_price": "0.30",
    "$export_price": "0.08",
}
# What a sparkline says where there is nothing: it must not pass for data here.
NOTHING = ' or sum(up{job=~"$job", instance=~"$instance"}) * NaN'
NAME = re.compile(r"(?<![\w:])fusionsolar_\w+(?!:)\b")  # of the exporter's own series


@dataclass(frozen=True)
class Query:
    """An expression and where it stands: a dashboard or file, and a panel or rule of it."""

    place: str
    title: str
    part: str
    expression: str

    @property
    def keys(self):
        """What it goes by in lists: its panel or rule, or only itself."""
        return {(self.place, self.title), (self.place, self.title, self.part)}

    def __str__(self):
        return f"{self.place}: {self.title} {self.part}".strip()

    def choices(self, devices):
        """The expression for each plant and device that one may choose."""
        text = self.expression.removesuffix(NOTHING)
        for variable, value in CHOSEN.items():
            text = text.replace(variable, value)
        text = text.replace('=~"$plant"', '=~".+"')
        return {
            text.replace("$plant", device["plant_code"]).replace("$device", device["device_id"])
            for device in devices
        }


def _variable(query):
    """What a variable's query asks: label_values(SERIES, LABEL) or query_result(EXPRESSION)."""
    kind, _, inner = query.removesuffix(")").partition("(")
    return inner.rpartition(",")[0] if kind == "label_values" else inner


def _of_dashboards():
    for file in sorted((ROOT / "grafana" / "dashboards").glob("*.json")):
        board = json.loads(file.read_text("utf-8"))
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                asked = _variable(variable["query"]["query"])
                yield Query(board["uid"], f"variable {variable['name']}", "", asked)
        panels = [each for panel in board["panels"] for each in (panel, *panel.get("panels", ()))]
        for panel in panels:
            for target in panel.get("targets", ()):
                yield Query(board["uid"], panel["title"], target["refId"], target["expr"])


def _rules():
    for file in RULES:
        for group in load(file)["groups"]:
            yield from ((file.name, rule) for rule in group["rules"])


PANELS = list(_of_dashboards())
RECORDS = [Query(file, r["record"], "", r["expr"]) for file, r in _rules() if "record" in r]
ALERTS = [Query(file, r["alert"], "", r["expr"]) for file, r in _rules() if "alert" in r]


def _series():
    """What alerts look at. An alert that is silent for want of it would never speak."""
    names = {name for alert in ALERTS for name in NAME.findall(alert.expression)}
    return [Query("alerts", name, "", name) for name in sorted(names)]


SERIES = _series()
