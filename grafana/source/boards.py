"""What all dashboards share: variables, links, the way panels are laid out."""

from collections.abc import Iterable

from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    Panel,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.models import dashboard as model

from grafana.source.panels import DATASOURCE
from grafana.source.promql import selector

TAG = "fusionsolar"
WIDTH = 24


class Line:
    """Panels side by side, all of one height; each stands behind its width."""

    def __init__(self, height: int, *panels: tuple[int, Panel]) -> None:
        self.panels = [panel.height(height).span(width) for width, panel in panels]


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


def _several(variable: QueryVariable) -> QueryVariable:
    return variable.multi(True).include_all(True).all_value(".+")


def _labels(label: str, *chosen: str) -> str:
    return f"label_values(fusionsolar_up{{{', '.join(chosen)}}}, {label})"


JOB = _several(_variable("job", "Job", "Prometheus' scrape job", _labels("job")))
INSTANCE = _several(
    _variable("instance", "Instance", "The exporter", _labels("instance", 'job=~"$job"'))
)
ACCOUNT = _several(
    _variable(
        "account",
        "Account",
        "Northbound account",
        _labels("account", 'job=~"$job"', 'instance=~"$instance"'),
    )
)


def _by_name(key: str, name: str, series: str) -> tuple[str, str]:
    """A query for things, and the expression that shows their names and hands on their keys.

    What has no name is shown by its key: Prometheus drops empty labels.
    """
    return (
        f"query_result(group by ({key}, {name}) ({series}))",
        f'/{key}="(?<value>[^"]*)"(?:,{name}="(?<text>.*)")?}}/',
    )


def _plant() -> QueryVariable:
    query, names = _by_name("plant_code", "plant_name", selector()("plant_info"))
    return _variable("plant", "Plant", "Plants of the account", query).regex(names)


def device(label: str, *types: str) -> QueryVariable:
    """Devices of these types in the chosen plants, by name."""
    chosen = selector('plant_code=~"$plant"')("device_info", f'device_type=~"{"|".join(types)}"')
    query, names = _by_name("device_id", "device_name", chosen)
    return _variable("device", label, f"{label} of the plant", query).regex(names)


PLANT = _plant()
PLANTS = _several(_plant())


def dashboard(
    uid: str,
    title: str,
    description: str,
    variables: Iterable[QueryVariable],
    contents: Iterable[str | Line],
) -> model.Dashboard:
    """A dashboard; `contents` are its rows' titles and, below them, its lines of panels."""
    board = (
        Dashboard(f"FusionSolar / {title}")
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
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
    for content in contents:
        if isinstance(content, str):
            board.with_row(Row(content))
        else:
            for panel in content.panels:
                board.with_panel(panel)
    built = board.build()
    for number, made in enumerate(built.panels or [], start=1):
        made.id_val = number
    return built
