"""The catalogue as a list for programs (`metrics --format json`) and as tables for people."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from exporter.catalogue.index import ROWS, SUBJECTS
from exporter.catalogue.model import Metric, Row
from exporter.catalogue.tables import runs
from exporter.northbound.device_types import device_type_slug

Entry = Mapping[str, Any]

_FACTS = ("Metric", "Type", "Unit", "Labels")
_STATISTIC = ("Metric", "Unit", "Periods", "Keys", "Meaning")

_HEAD = """\
# Metrics

Printed by `fusionsolar-exporter metrics` from the tables in `exporter/catalogue/`.

Every series of a plant is labelled with `account` and `plant_code`, every series of a device with
`device_id` besides; the tables name the labels beyond these. The keys are preceded by the device
types that send them, and followed by the unit they are sent in and the factor that turns it into
the metric's.

The statistics of a subject have a table of their own. They are gauges with two labels more:
`period` is `hour`, `day`, `month` or `year`; `window` is `current` for the period that is running
and `previous` for the last complete one.

The table of the exporter's own metrics names all of their labels. Beside them the page holds the
usual `process_` and `python_` metrics of the process itself.
"""


def describe_rows(rows: Iterable[Row] = ROWS) -> list[dict[str, Any]]:
    """One entry a row, made of what JSON has.

    Each holds interface, device_type, key, metric, type, factor, labels, unit, source_unit, help;
    a StateSet's also states (code or word → name) and code_metric, null where it is sent in words.
    """
    return [_describe(row) for row in rows]


def describe_metric(metric: Metric) -> dict[str, Any]:
    """The entry, in the same form, of a metric that comes from no key."""
    return {
        "interface": None,
        "device_type": None,
        "key": None,
        "metric": metric.name,
        "type": metric.kind.value,
        "factor": 1.0,
        "labels": {},
        "unit": metric.unit,
        "source_unit": "",
        "help": metric.help,
    }


def render_markdown(
    entries: Sequence[Entry], keyless: Mapping[str, Sequence[Metric]] = MappingProxyType({})
) -> str:
    """One section a subject for `entries` as of `describe_rows`, and one a title for `keyless`."""
    parts = [_HEAD]
    for subject in SUBJECTS:
        prefix = f"fusionsolar_{subject.name}_"
        if of_subject := [
            entry
            for entry in entries
            if entry["interface"] in subject.tables and entry["metric"].startswith(prefix)
        ]:
            parts += _section(subject.title, of_subject)
    for title, metrics in keyless.items():
        lines = (
            (*_facts(describe_metric(metric) | {"labels": metric.labels}), metric.help)
            for metric in metrics
        )
        parts += [f"## {title}\n", _table((*_FACTS, "Meaning"), lines)]
    return "\n".join(parts)


def _describe(row: Row) -> dict[str, Any]:
    metric = row.metric
    entry = describe_metric(metric) | {
        "interface": row.interface,
        "device_type": row.device_type,
        "key": row.key,
        "factor": row.factor,
        # A statistic's `window` has a name and no value: it is no constant label.
        "labels": dict(zip(metric.labels, row.labels, strict=False)),
        "source_unit": row.source_unit,
    }
    if row.state_names:
        states = row.states or row.words or {}
        entry["states"] = {str(code): name for code, name in states.items()}
        entry["code_metric"] = row.code and row.code.metric.name
    return entry


def _section(title: str, entries: list[Entry]) -> list[str]:
    kpis = [entry for entry in entries if "period" not in entry["labels"]]
    statistics = [entry for entry in entries if "period" in entry["labels"]]
    parts = [f"## {title}\n"]
    if kpis:
        families = _families(kpis)
        rows = [(*_facts(family[0]), _keys(family), family[0]["help"]) for family in families]
        states = [_states(family[0]) for family in families if "states" in family[0]]
        head = _sources(kpis, " or "), *_missing_interfaces(families)
        parts += [*head, _table((*_FACTS, "Keys", "Meaning"), rows), *states]
    if statistics:
        lines = map(_statistic, _families(statistics))
        head = f"### {title}: statistics\n", _sources(statistics, ", ")
        parts += [*head, _table(_STATISTIC, lines)]
    return parts


def _families(entries: Iterable[Entry]) -> list[list[Entry]]:
    families: dict[str, list[Entry]] = {}
    for entry in entries:
        families.setdefault(entry["metric"], []).append(entry)
    return list(families.values())


def _sources(entries: list[Entry], joint: str) -> str:
    interfaces = joint.join(_code(name) for name in dict.fromkeys(e["interface"] for e in entries))
    types = dict.fromkeys(e["device_type"] for e in entries if e["device_type"] is not None)
    named = ", ".join(f"{number} {_code(device_type_slug(number))}" for number in types)
    return f"From {interfaces}, device types {named}.\n" if types else f"From {interfaces}.\n"


def _missing_interfaces(families: list[list[Entry]]) -> list[str]:
    """A sentence for each interface without metrics that another one of the subject has."""
    sources = {family[0]["metric"]: {entry["interface"] for entry in family} for family in families}
    lacking: dict[str, list[str]] = {}
    for metric, interfaces in sources.items():
        for interface in sorted(set().union(*sources.values()) - interfaces):
            lacking.setdefault(interface, []).append(metric)
    return [
        f"{_code(interface)} does not tell {', '.join(map(_code, metrics))}.\n"
        for interface, metrics in lacking.items()
    ]


def _statistic(family: list[Entry]) -> tuple[str, str, str, str, str]:
    first = family[0]
    periods = ", ".join(
        _code(name) for name in dict.fromkeys(e["labels"]["period"] for e in family)
    )
    return _code(first["metric"]), first["unit"], periods, _keys(family), first["help"]


def _facts(entry: Entry) -> tuple[str, str, str, str]:
    labels = ", ".join(_code(label) for label in entry["labels"])
    return _code(entry["metric"]), entry["type"], entry["unit"], labels


def _keys(family: list[Entry]) -> str:
    """`1, 38: pv1_u … pv36_u (V)`: the keys of each device type, types that agree joined."""
    sent: dict[tuple[int | None, str, float], list[str]] = {}
    for entry in family:
        source = entry["device_type"], entry["source_unit"], entry["factor"]
        sent.setdefault(source, []).append(entry["key"])
    types: dict[str, list[str]] = {}
    for (device_type, unit, factor), keys in sent.items():
        text = _fold(keys) + _conversion(unit, factor)
        types.setdefault(text, []).append(str(device_type))
    return "<br>".join(
        text if numbers == ["None"] else f"{', '.join(numbers)}: {text}"
        for text, numbers in types.items()
    )


def _fold(keys: Iterable[str]) -> str:
    return ", ".join(
        _code(first) if first == last else f"{_code(first)} … {_code(last)}"
        for first, last in runs(dict.fromkeys(keys))
    )


def _conversion(source_unit: str, factor: float) -> str:
    if not source_unit:
        return ""
    return f" ({source_unit})" if factor == 1 else f" ({source_unit}, times {factor:,.12g})"


def _states(entry: Entry) -> str:
    sent: dict[str, list[str]] = {}
    for code, name in entry["states"].items():
        sent.setdefault(name, []).append(code)
    names = ", ".join(f"{_code(name)} ({' or '.join(codes)})" for name, codes in sent.items())
    code_metric = entry["code_metric"]
    code = f"; the code itself is {_code(code_metric)}" if code_metric else ""
    return f"{_code(entry['metric'])} is {names} or `unknown`{code}.\n"


def _code(text: str) -> str:
    return f"`{text}`"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(header)
    lines = (f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))
    return "\n".join(lines) + "\n"
