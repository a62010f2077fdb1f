"""What all dashboards share: variables, links, annotations, the way panels are laid out."""

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any

from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    Panel,
    QueryVariable,
    Row,
    TextBoxVariable,
)
from grafana_foundation_sdk.models import dashboard as model

from grafana.source.panels import DATASOURCE
from grafana.source.promql import of_plants, plant_names

TAG = "fusionsolar"
_OF_ONE = {"datasource", "job", "instance", "account"}
WIDTH = 24


class Line:
    """Panels side by side, all of one height; each stands behind its width."""

    def __init__(self, height: int, *panels: tuple[int, Panel]) -> None:
        self._height = height
        self._panels = panels

    def at(self, y: int) -> tuple[list[Panel], int]:
        """The panels, that far down, and where the next line begins."""
        x, placed = 0, []
        for width, panel in self._panels:
            placed.append(panel.grid_pos(model.GridPos(h=self._height, w=width, x=x, y=y)))
            x += width
        return placed, y + self._height


class Folded:
    """Lines under a title that are shown at a click: what few plants have."""

    def __init__(self, title: str, *lines: Line) -> None:
        self._title = title
        self._lines = lines

    def at(self, y: int) -> model.RowPanel:
        """The row, that far down, with its panels."""
        place = model.GridPos(h=1, w=WIDTH, x=0, y=y)
        row = Row(self._title).collapsed(True).grid_pos(place).build()
        y += 1
        for line in self._lines:
            panels, y = line.at(y)
            row.panels += [panel.build() for panel in panels]
        return row


def link(uid: str, **variables: str) -> str:
    """The address of another dashboard of ours, at the same time and with these variables."""
    chosen = {"datasource": "${datasource}", **variables}
    return f"/d/{uid}?" + "&".join(
        ["${__url_time_range}", *(f"var-{name}={value}" for name, value in chosen.items())]
    )


def _variable(name: str, label: str, description: str, query: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(DATASOURCE)
        .query({"query": query, "refId": name})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    )


def _multiple(variable: QueryVariable) -> QueryVariable:
    return variable.multi(True).include_all(True).all_value(".+")


def _labels(label: str, *chosen: str) -> str:
    return f"label_values(fusionsolar_up{{{', '.join(chosen)}}}, {label})"


JOB = _multiple(_variable("job", "Job", "Prometheus' scrape job", _labels("job")))
INSTANCE = _multiple(
    _variable("instance", "Instance", "The exporter", _labels("instance", 'job=~"$job"'))
)
ACCOUNT = _multiple(
    _variable(
        "account",
        "Account",
        "Northbound account",
        _labels("account", 'job=~"$job"', 'instance=~"$instance"'),
    )
)


def _choice(thing: str, label: str, key: str, series: str) -> QueryVariable:
    """A choice that shows the names of things, and hands on their keys.

    What has no name is shown by its key: Prometheus drops empty labels.
    """
    shown = f'/{key}="(?<value>[^"]*)"(?:,{thing}_name="(?<text>.*)")?}}/'
    variable = _variable(thing, label, f"{label} by name", f"query_result({series})")
    return variable.regex(shown)


def _plant() -> QueryVariable:
    return _choice("plant", "Plant", "plant_code", plant_names())


def device(label: str, *types: str) -> QueryVariable:
    """Devices of these types in the chosen plants, by name."""
    chosen = of_plants.series("device_info", f'device_type=~"{"|".join(types)}"')
    named = f"group by (device_id, device_name) ({chosen})"
    return _choice("device", label, "device_id", named)


PLANT = _plant()
PLANTS = _multiple(_plant())


def price(name: str, label: str, description: str, usual: str) -> TextBoxVariable:
    """What a kilowatt-hour costs or brings, to be typed in."""
    return TextBoxVariable(name).label(label).description(description).default_value(usual)


def annotations(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Alerts that fired and, where plants can be chosen, alarms that were active."""
    named = {variable["name"] for variable in fields["templating"]["list"]}
    firing = 'alertname=~"FusionSolar.+", alertstate="firing", account=~"$account|"'
    alarms = of_plants("alarm_active", 'severity=~"critical|major"')
    alerts = f"ALERTS{{{firing}}}"
    if "plant" not in named:
        return [_annotation("Alerts", "orange", alerts, "{{alertname}}", "{{severity}}")]
    return [
        _annotation(
            "Alerts",
            "orange",
            f'ALERTS{{{firing}, plant_code=~"$plant|"}}',
            "{{alertname}}",
            "{{severity}} {{plant_name}} {{device_name}}",
        ),
        _annotation("Alarms", "red", alarms, "{{alarm_name}}", "{{severity}} {{device_name}}"),
    ]


def _annotation(name: str, color: str, expr: str, title: str, text: str) -> dict[str, Any]:
    """In the words of the Prometheus data source, which the builder lacks."""
    source = {"type": DATASOURCE.type_val, "uid": DATASOURCE.uid}
    return {
        "name": name,
        "datasource": source,
        "enable": True,
        "iconColor": color,
        "target": {"refId": "Anno", "expr": expr, "interval": "60s"},
        "titleFormat": title,
        "textFormat": text,
    }


def dashboard(  # noqa: PLR0913  # as stat
    uid: str,
    title: str,
    description: str,
    variables: Iterable[QueryVariable | TextBoxVariable],
    contents: Iterable[str | Line | Folded],
    *,
    narrow: bool = False,
) -> model.Dashboard:
    """A dashboard; `contents` are its rows' titles and, below them, its lines of panels.

    A `narrow` one is looked at on a telephone: what a home has one of is not asked for.
    """
    board = (
        Dashboard(f"FusionSolar / {title}")
        .uid(uid)
        .description(description)
        .tags([TAG])
        .editable()
        .refresh("1m")
        .time("now-24h", "now")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(
            DashboardLink("FusionSolar")
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
        .variables([DatasourceVariable("datasource").label("Data Source").type("prometheus")])
    )
    for variable in (JOB, INSTANCE, *variables):
        board.with_variable(variable)
    built = board.build()
    if narrow and built.templating:
        built.templating.list_val = [_hidden(each) for each in built.templating.list_val or ()]
    built.panels = list(_layout(contents))
    inner = (each for panel in built.panels for each in (panel, *getattr(panel, "panels", ())))
    for number, made in enumerate(inner, start=1):
        made.id_val = number
    return built


def _hidden(variable: model.VariableModel) -> model.VariableModel:
    """A copy, as dashboards share variables."""
    if variable.name not in _OF_ONE:
        return variable
    copied = copy(variable)
    copied.hide = model.VariableHide.HIDE_VARIABLE
    return copied


def _layout(contents: Iterable[str | Line | Folded]) -> Iterable[model.Panel | model.RowPanel]:
    y = 0
    for content in contents:
        match content:
            case str():
                place = model.GridPos(h=1, w=WIDTH, x=0, y=y)
                yield Row(content).grid_pos(place).build()
                y += 1
            case Folded():
                yield content.at(y)
                y += 1
            case Line():
                panels, y = content.at(y)
                yield from (panel.build() for panel in panels)
