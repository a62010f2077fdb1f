"""Writes every dashboard to grafana/dashboards/, or into the directory that is named."""

import json
import sys
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.source import alarms, exporter_itself, fleet, flow, home, inverter, meters, plant, site
from grafana.source.boards import annotations

DASHBOARDS = (
    home.DASHBOARD,
    fleet.DASHBOARD,
    plant.DASHBOARD,
    inverter.DASHBOARD,
    flow.DASHBOARD,
    meters.DASHBOARD,
    site.DASHBOARD,
    alarms.DASHBOARD,
    exporter_itself.DASHBOARD,
)

LEAST_GRAFANA = "11.0.0"
_PANEL_NAMES = {
    "bargauge": "Bar gauge",
    "gauge": "Gauge",
    "geomap": "Geomap",
    "heatmap": "Heatmap",
    "stat": "Stat",
    "state-timeline": "State timeline",
    "table": "Table",
    "timeseries": "Time series",
}
# The builder gives them to every variable, Grafana knows them of interval variables only.
_OF_INTERVALS = {"auto", "auto_min", "auto_count"}


def render(dashboard: Dashboard) -> str:
    """The file that Grafana reads."""
    fields: dict[str, Any] = json.loads(JSONEncoder().encode(dashboard))
    for variable in fields["templating"]["list"]:
        for key in _OF_INTERVALS & variable.keys():
            del variable[key]
    fields["annotations"] = {"list": annotations(fields)}
    whole = {"__requires": _required(fields), "id": None, **fields}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _required(fields: dict[str, Any]) -> list[dict[str, str]]:
    """What Grafana checks at an import."""
    panels = [each for panel in fields["panels"] for each in (panel, *panel.get("panels", ()))]
    kinds = {panel["type"] for panel in panels} - {"row"}
    return [
        {"type": "grafana", "id": "grafana", "name": "Grafana", "version": LEAST_GRAFANA},
        {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"},
        *(
            {"type": "panel", "id": kind, "name": _PANEL_NAMES[kind], "version": ""}
            for kind in sorted(kinds)
        ),
    ]


def write(directory: Path) -> None:
    """Writes each dashboard to a file named after its uid, and removes what is none of them."""
    files = {f"{dashboard.uid}.json": render(dashboard) for dashboard in DASHBOARDS}
    for old in directory.glob("*.json"):
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        (directory / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parents[1] / "dashboards")
