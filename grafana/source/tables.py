"""Panels made of one row a thing: tables, and the map."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from grafana_foundation_sdk.builders.dashboard import Panel
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.source.panels import (
    DATASOURCE,
    REF_IDS,
    States,
    Steps,
    data_link,
    panel_of,
    thresholds,
)
from grafana.source.states import mapping


@dataclass(frozen=True)
class Column:
    """A table's column: an instant query with one value a row."""

    name: str
    expr: str
    unit: str = "short"
    decimals: int | None = None
    steps: Steps = ()  # the text's colours
    states: States | None = None
    bar: float | None = None  # drawn as a bar, of which this is the full length
    width: int = 100  # 0 for its share of the room that there is


def each(wrap: Callable[[str], str], *columns: Column) -> tuple[Column, ...]:
    """The columns, with every query wrapped alike."""
    return tuple(replace(column, expr=wrap(column.expr)) for column in columns)


def _ask(panel: Panel, columns: Iterable[Column]) -> None:
    for ref, column in zip(REF_IDS, columns, strict=False):
        target = Dataquery().expr(column.expr).instant().format(PromQueryFormat.TABLE)
        panel.with_target(target.ref_id(ref).datasource(DATASOURCE))


def table(  # noqa: PLR0913  # as stat
    title: str,
    description: str,
    rows: Mapping[str, str],
    *columns: Column,
    sort: Mapping[str, bool],
    widths: Mapping[str, int] = MappingProxyType({}),
    links: Mapping[str, str] = MappingProxyType({}),
    colors: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    least: int = 150,
) -> Panel:
    """One row for each combination of labels.

    `rows` names the labels that are shown ("" hides one), `widths` says how wide, `links` where the
    text of one leads to, `colors` how its texts are coloured. `sort` names columns and says whether
    they descend. What has no width of its own has `least` pixels at least: on a telephone the less,
    the more columns are seen.
    A column whose query says nothing of a row leaves its cell empty.
    """
    options = {
        "showHeader": True,
        "cellHeight": "sm",
        "frameIndex": 0,
        "sortBy": [{"displayName": name, "desc": falls} for name, falls in sort.items()],
    }
    # A label is a text, even one of digits only.
    panel = panel_of("table", title, description, options).unit("string")
    panel.custom({"align": "auto", "inspect": False, "minWidth": least})
    _ask(panel, columns)
    for column in columns:
        panel.override_by_name(column.name, list(_cell(column)))
    for label, name in rows.items():
        if not name:
            panel.override_by_name(label, _hidden())
        if label in widths:
            panel.override_by_name(name, [DynamicConfigValue("custom.width", widths[label])])
        if label in links:
            panel.override_by_name(name, [data_link(f"Open {name.lower()}", links[label])])
        if label in colors:
            found = {text: {"color": paint} for text, paint in colors[label].items()}
            mappings = DynamicConfigValue("mappings", [{"type": "value", "options": found}])
            panel.override_by_name(name, [mappings, _COLORED])
    return panel.transformations(_as_rows(rows, columns))


_COLORED = DynamicConfigValue("custom.cellOptions", {"type": "color-text"})


def best(  # noqa: PLR0913  # as stat
    title: str, description: str, expr: str, unit: str, count: int, *, worst: bool = False
) -> Panel:
    """The best days of one daily series, which has no labels, or the worst."""
    options = {"showHeader": True, "cellHeight": "sm", "frameIndex": 0}
    panel = panel_of("table", title, description, options).unit(unit).decimals(1).interval("1d")
    target = Dataquery().expr(expr).range().format(PromQueryFormat.TIME_SERIES)
    panel.with_target(target.ref_id(REF_IDS[0]).legend_format("Energy").datasource(DATASOURCE))
    panel.override_by_name("Day", [DynamicConfigValue("unit", "time:ddd D MMM YYYY")])
    panel.override_by_name("Energy", [DynamicConfigValue("custom.width", 90)])
    renamed = {"Time": "Day", "Value": "Energy"}
    return panel.transformations(
        [
            DataTransformerConfig("organize", options={"renameByName": renamed}),
            DataTransformerConfig(
                "sortBy", options={"sort": [{"field": "Energy", "desc": not worst}]}
            ),
            DataTransformerConfig("limit", options={"limitField": count}),
        ]
    )


def _hidden() -> list[DynamicConfigValue]:
    """Hides a column from people, not from links; the second is how Grafana 13 says it."""
    everywhere = {"viz": True, "legend": True, "tooltip": True}
    return [
        DynamicConfigValue("custom.hidden", True),
        DynamicConfigValue("custom.hideFrom", everywhere),
    ]


def _as_rows(rows: Mapping[str, str], columns: Sequence[Column]) -> list[DataTransformerConfig]:
    values = ["Value"] if len(columns) == 1 else [f"Value #{ref}" for ref in REF_IDS]
    named = dict(zip(values, (column.name for column in columns), strict=False))
    shown = {label: name for label, name in rows.items() if name}
    order = [*rows, *named]
    return [
        DataTransformerConfig("merge", options={}),
        DataTransformerConfig(
            "organize",
            options={
                "excludeByName": {"Time": True},
                "indexByName": {name: place for place, name in enumerate(order)},
                "renameByName": {**shown, **named},
            },
        ),
    ]


def _cell(column: Column) -> Iterable[DynamicConfigValue]:
    yield DynamicConfigValue("unit", column.unit)
    # An empty cell stays so, where a panel without rows says why it has none.
    yield DynamicConfigValue("noValue", "")
    if column.decimals is not None:
        yield DynamicConfigValue("decimals", column.decimals)
    if column.width:
        yield DynamicConfigValue("custom.width", column.width)
    if column.states is not None:
        yield DynamicConfigValue("mappings", mapping(column.states))
        yield _COLORED
    if column.steps:
        steps = [Threshold(value, name) for value, name in column.steps]
        yield DynamicConfigValue("thresholds", {"mode": "absolute", "steps": steps})
        yield DynamicConfigValue("color", {"mode": "thresholds"})
    if column.bar is not None:
        yield DynamicConfigValue("min", 0)
        yield DynamicConfigValue("max", column.bar)
        bar = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
        yield DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "blue"})
        yield DynamicConfigValue("custom.cellOptions", bar)
    elif column.steps:
        yield _COLORED


def places(title: str, description: str, latitude: str, longitude: str, state: Column) -> Panel:
    """A map of plants, coloured by a state; the queries have the label `plant_name`.

    Names are shown under the pointer: those of two hundred plants would hide them.
    """
    size, paint = {"fixed": 8, "min": 4, "max": 15}, {"field": state.name, "fixed": "green"}
    style = {
        "color": paint,
        "size": size,
        "opacity": 0.9,
        "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
    }
    options = {
        "view": {"id": "fit", "allLayers": True, "lat": 0, "lon": 0, "zoom": 2, "padding": 15},
        "controls": {"showZoom": True, "mouseWheelZoom": False, "showAttribution": True},
        "basemap": {"type": "default", "name": "Basemap"},
        "layers": [
            {
                "type": "markers",
                "name": "Plants",
                "config": {"style": style, "showLegend": False},
                "location": {"mode": "coords", "latitude": "Latitude", "longitude": "Longitude"},
                "tooltip": True,
            }
        ],
        "tooltip": {"mode": "details"},
    }
    panel = panel_of("geomap", title, description, options).unit("short")
    columns = Column("Latitude", latitude), Column("Longitude", longitude), state
    _ask(panel, columns)
    thresholds(panel, ((None, "purple"),))
    if state.states is not None:
        panel.override_by_name(state.name, [DynamicConfigValue("mappings", mapping(state.states))])
    return panel.transformations(_as_rows({"plant_name": "Plant"}, columns))
