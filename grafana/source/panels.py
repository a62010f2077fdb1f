"""The kinds of panels. Options are plain data, in the words of Grafana's own schema."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders.dashboard import FieldColor, Panel, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    DynamicConfigValue,
    FieldColorModeId,
    MatcherConfig,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMappingResult,
)

from grafana.source.states import color, mapping, text

DATASOURCE = DataSourceRef("prometheus", "${datasource}")
REF_IDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Steps = tuple[tuple[float | None, str], ...]  # the first from None, which is minus infinity, on
States = Mapping[int, str]
HOT: Steps = ((None, "green"), (65, "orange"), (75, "red"))  # °C inside an inverter
PERFORMING: Steps = (
    (None, "text"),
    (0, "red"),
    (0.6, "orange"),
    (0.75, "green"),
)  # performance ratio
PLAIN: Steps = ((None, "text"),)
NONE_IS_GOOD: Steps = ((None, "green"), (1, "red"))
SOME_IS_ODD: Steps = ((None, "green"), (1, "orange"))
STALE: Steps = ((None, "green"), (900, "orange"), (3600, "red"))  # seconds

_TOOLTIP = {"mode": "multi", "sort": "desc"}
_LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
# What a sparkline's number is when the series has ended: its last value may be hours old.
_OTHERWISE_NOTHING = 'sum(up{job=~"$job", instance=~"$instance"}) * NaN'
_NOTHING = SpecialValueMap(
    DashboardSpecialValueMapOptions(SpecialValueMatch.NA_N, ValueMappingResult(text="-", index=0))
)


DASHED: Mapping[str, Any] = {"fillOpacity": 0, "lineStyle": {"fill": "dash", "dash": [8, 6]}}


@dataclass(frozen=True)
class Query:
    """One query, and how its series differ from the panel's others."""

    expr: str
    legend: str = ""
    color: str = ""
    unit: str = ""  # another than the panel's: its axis, if there are any, is then on the right
    line: Mapping[str, Any] | None = None  # custom field options of these series
    axis: bool = True


def panel_of(kind: str, title: str, description: str, options: Mapping[str, Any]) -> Panel:
    """A panel of a kind, without queries."""
    panel = Panel().type(kind).title(title).description(description).datasource(DATASOURCE)
    return panel.options(options)


def _ask(panel: Panel, queries: Iterable[Query], *, instant: bool = False) -> Panel:
    for ref, query in zip(REF_IDS, queries, strict=False):
        target = Dataquery().expr(query.expr).legend_format(query.legend or "__auto")
        target = target.ref_id(ref).datasource(DATASOURCE)
        panel.with_target(target.instant() if instant else target.range())
        if properties := list(_properties(query)):
            panel.override_by_query(ref, properties)
    return panel


def _properties(query: Query) -> Iterable[DynamicConfigValue]:
    if query.color:
        yield DynamicConfigValue("color", {"mode": "fixed", "fixedColor": query.color})
    if query.unit:
        yield DynamicConfigValue("unit", query.unit)
    if query.unit and query.axis:
        yield DynamicConfigValue("custom.axisPlacement", "right")
    for key, value in (query.line or {}).items():
        yield DynamicConfigValue(f"custom.{key}", value)


def thresholds(panel: Panel, steps: Steps) -> Panel:
    """Colours a panel's values by steps."""
    found = [Threshold(value, name) for value, name in steps]
    panel.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(found))
    return panel.color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))


def stat(  # noqa: PLR0913  # a panel is what its options say
    title: str,
    description: str,
    expr: str,
    unit: str = "short",
    *,
    legend: str = "",
    steps: Steps = PLAIN,
    states: States | None = None,
    decimals: int | None = None,
) -> Panel:
    """A number, on a ground of its state's colour if it is a state."""
    options = {**_STAT, "textMode": "value_and_name" if legend else "value"}
    if states:
        options["colorMode"] = "background"
    panel = panel_of("stat", title, description, options).unit(unit)
    thresholds(_ask(panel, [Query(expr, legend)], instant=True), steps)
    if states:
        panel.mappings(mapping(states))
    return panel if decimals is None else panel.decimals(decimals)


_STAT = {
    "colorMode": "value",
    "graphMode": "none",
    "justifyMode": "auto",
    "orientation": "auto",
    "reduceOptions": _LAST,
    "wideLayout": True,
}


def trend(  # noqa: PLR0913  # as stat
    title: str,
    description: str,
    expr: str,
    unit: str = "short",
    *,
    steps: Steps = PLAIN,
    decimals: int | None = None,
) -> Panel:
    """A number over its course in the time shown; `expr` is one series without labels."""
    last = {**_LAST, "calcs": ["last"]}
    options = {**_STAT, "graphMode": "area", "textMode": "value", "reduceOptions": last}
    panel = panel_of("stat", title, description, options).unit(unit).mappings([_NOTHING])
    thresholds(_ask(panel, [Query(f"{expr} or {_OTHERWISE_NOTHING}")]), steps)
    return panel if decimals is None else panel.decimals(decimals)


def numbers(
    title: str, description: str, *queries: Query, unit: str, steps: Steps = PLAIN
) -> Panel:
    """Several numbers below each other, with their names; a query that says nothing has none."""
    sizes = {"titleSize": 14, "valueSize": 22}
    options = {**_STAT, "textMode": "value_and_name", "orientation": "horizontal", "text": sizes}
    panel = panel_of("stat", title, description, options).unit(unit)
    return thresholds(_ask(panel, queries, instant=True), steps)


def gauges(title: str, description: str, *queries: Query, steps: Steps) -> Panel:
    """Shares of one as dials, each with its name."""
    options = {
        "orientation": "auto",
        "reduceOptions": _LAST,
        "showThresholdLabels": False,
        "showThresholdMarkers": False,
    }
    panel = panel_of("gauge", title, description, options).unit("percentunit").min(0).max(1)
    return thresholds(_ask(panel.decimals(0), queries, instant=True), steps)


def curves(  # noqa: PLR0913  # as stat
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    fill: int = 10,
    stacked: bool = False,
    bars: bool = False,
    steps: Steps = (),
    floor: float | None = None,
    legend: str = "bottom",
    daily: bool = False,
) -> Panel:
    """Values over time.

    `steps` are drawn as lines; the legend is at the bottom, right, or not there (""); `daily` shows
    a month, a point a day. Stacked areas have no outlines: one of nothing would frame what is below
    it in its own colour.
    """
    custom = {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "linear",
        "lineWidth": 0 if stacked and not bars else 1,
        "fillOpacity": 70 if stacked or bars else fill,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if steps else "off"},
    }
    shown = {"showLegend": bool(legend), "placement": legend or "bottom"}
    options = {"legend": {**_LEGEND, **shown}, "tooltip": _TOOLTIP}
    panel = panel_of("timeseries", title, description, options).unit(unit).custom(custom)
    if steps:
        thresholds(panel, steps)
    panel.color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
    if floor is not None:
        panel.min(floor)
    if daily:
        panel.interval("1d").time_from("30d")
    return _ask(panel, queries)


def timeline(  # noqa: PLR0913  # as stat
    title: str, description: str, expr: str, legend: str, states: States, *, link: str = ""
) -> Panel:
    """States over time, a row a series."""
    options = {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.85,
        "legend": {**_LEGEND, "showLegend": False},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    panel = panel_of("state-timeline", title, description, options).unit("short")
    panel.custom({"fillOpacity": 80, "lineWidth": 0}).mappings(mapping(states))
    thresholds(panel, ((None, "light-yellow"),))
    if link:
        panel.override_by_regexp(".*", [data_link("Open", link)])
    return _ask(panel, [Query(expr, legend)])


def ranking(  # noqa: PLR0913  # as stat
    title: str,
    description: str,
    expr: str,
    legend: str,
    unit: str,
    *,
    steps: Steps = PLAIN,
    top: float | None = None,
    long_names: bool = False,
    name_size: int = 12,
) -> Panel:
    """Horizontal bars, in the order of the query; `top` is the full length.

    Names stand on the left, where much of a long one is cut off, or above the bars. Grafana gives
    all as much room as the first of the longest needs, in letters of 12 to 14 pixels: a wider one
    of as many letters fits if they are smaller.
    """
    options = {
        "displayMode": "basic",
        "orientation": "horizontal",
        "reduceOptions": _LAST,
        "showUnfilled": True,
        "valueMode": "color",
        "namePlacement": "top" if long_names else "left",
        "sizing": "manual",
        "minVizHeight": 16,
        "maxVizHeight": 48 if long_names else 36,
        "text": {"titleSize": name_size},
    }
    panel = panel_of("bargauge", title, description, options).unit(unit).min(0)
    thresholds(_ask(panel, [Query(expr, legend)], instant=True), steps)
    return panel if top is None else panel.max(top)


def heatmap(
    title: str, description: str, *queries: Query, unit: str, scheme: str = "Inferno"
) -> Panel:
    """A row a series, by name; the brighter the larger."""
    options = {
        "calculate": False,
        "cellGap": 1,
        "cellValues": {"unit": unit},
        "color": {
            "mode": "scheme",
            "scheme": scheme,
            "steps": 64,
            "reverse": False,
            "exponent": 0.5,
            "fill": "dark-orange",
        },
        "exemplars": {"color": "orange"},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": True},
    }
    return _ask(panel_of("heatmap", title, description, options).unit(unit), queries)


def data_link(title: str, url: str) -> DynamicConfigValue:
    """A link on a value."""
    return DynamicConfigValue("links", [{"title": title, "url": url}])


def named_series(panel: Panel, states: States) -> Panel:
    """Gives series whose names are codes the names and colours of states."""
    for code, name in states.items():
        shown = DynamicConfigValue("displayName", text(name))
        paint = DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color(name)})
        panel.with_override(MatcherConfig("byName", str(code)), [shown, paint])
    return panel


def colored_series(panel: Panel, colors: Mapping[str, str]) -> Panel:
    """Gives series their colours by name."""
    for name, paint in colors.items():
        fixed = DynamicConfigValue("color", {"mode": "fixed", "fixedColor": paint})
        panel.override_by_name(name, [fixed])
    return panel
