"""How a subject's table is written: one line a key, expanded to the rows of the catalogue."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from types import MappingProxyType

from exporter.catalogue.model import Kind, Metric, Row, StandIn, series_of
from exporter.catalogue.ranges import TIMESTAMP, plausible_range
from exporter.catalogue.units import UNITS

Types = tuple[int | None, ...]

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Label:
    """The label that a key's variable part becomes: its values by that part.

    Both are tuples, as a key without a variable part has no label. There is no value for `window`,
    the last name of a statistic, which depends on the time, nor for the last name of an info
    metric, which is a text of the answer.
    """

    names: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]


def _label(name: str, values: Mapping[str, str]) -> Label:
    return Label((name,), {part: (value,) for part, value in values.items()})


def numbered(name: str, count: int) -> Label:
    """A label whose values are the numbers 1 to `count`."""
    return _label(name, {str(number): str(number) for number in range(1, count + 1)})


def of_period(period: str) -> Label:
    """The labels of a period's statistics, of which only `period` has a value here."""
    return Label(("period", "window"), {"": (period,)})


NO_LABEL = Label((), {"": ()})
PHASES = _label("phase", {"a": "a", "b": "b", "c": "c"})
PHASE_A = _label("phase", {"a": "a"})
PHASES_B_AND_C = _label("phase", {"b": "b", "c": "c"})
LINES = _label("line", {"ab": "ab", "bc": "bc", "ca": "ca"})
# The 2020 reference calls `_power` off-peak and `_valley` shoulder; later editions swap the two.
TARIFFS = _label(
    "tariff", {"top": "sharp", "peak": "peak", "power": "shoulder", "valley": "off_peak"}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: a key of some device types, or keys that differ in their `label` only.

    `key` holds `{}` where the label stands; `metric` is the name after `fusionsolar_<subject>_`.
    `sentence` becomes the HELP, which adds the keys and the full stop; a line without one is a
    further source of a metric that an earlier line describes. `fallback_for`, which may hold `{}`
    as well, `stand_in` and `zero_is_absent` are as in `Row`. A value that is `negated` is sent with
    the other sign than the metric has.
    """

    kind: Kind
    key: str
    source_unit: str
    types: Types
    metric: str
    sentence: str = ""
    label: Label = NO_LABEL
    states: Mapping[int, str] | None = None
    words: Mapping[str, str] | None = None
    fallback_for: str = ""
    negated: bool = False
    stand_in: StandIn | None = None
    zero_is_absent: bool = False

    @property
    def factor(self) -> float:
        """What a value is multiplied with to be the metric's."""
        factor = UNITS[self.source_unit].factor
        return -factor if self.negated else factor

    @property
    def keys(self) -> tuple[str, ...]:
        """The concrete keys."""
        return tuple(map(self.key.format, self.label.values))


gauge = partial(Line, Kind.GAUGE)  # goes up and down, starts again every day, or is a time
counter = partial(Line, Kind.COUNTER)  # the sum over a lifetime
info = partial(Line, Kind.INFO)  # what something is; a text of the answer is its last label


def stateset(key: str, types: Types, metric: str, states: Mapping[int, str], sentence: str) -> Line:
    """A line for an enumeration; its code gets a metric `…_code` beside it."""
    return Line(Kind.STATESET, key, "", types, metric, sentence, states=states)


def words(  # noqa: PLR0913  # one each cell of the table
    key: str,
    types: Types,
    metric: str,
    states: Mapping[str, str],
    sentence: str = "",
    *,
    fallback_for: str = "",
) -> Line:
    """A line for an enumeration that is sent in words."""
    return Line(
        Kind.STATESET, key, "", types, metric, sentence, words=states, fallback_for=fallback_for
    )


def device_tables(
    kpis: tuple[Line, ...], renamed: Mapping[str, str] = MappingProxyType({})
) -> Mapping[str, tuple[Line, ...]]:
    """A device's tables: its 5-minute data are the real-time ones, all but `run_state`.

    `renamed` names the keys that are called otherwise in the 5-minute data of the reference; what
    newer servers call history has all the keys of real-time values.
    """
    return {
        "getDevRealKpi": kpis,
        "getDevFiveMinutes": tuple(
            replace(line, key=renamed.get(line.key, line.key))
            for line in kpis
            if line.key != "run_state"
        ),
        **dict.fromkeys(("getDevHistoryKpi", "device/history"), kpis),
    }


def each(period: str, statistics: Iterable[Line]) -> tuple[Line, ...]:
    """The table of the interface that reports `statistics` of each hour, day, month or year."""
    return tuple(replace(line, label=of_period(period)) for line in statistics)


@dataclass(frozen=True, slots=True)
class SubjectTables:
    """What a module of the catalogue holds: the tables of one subject, by interface.

    `name` is the one in its metrics' names, `title` its heading in the documentation.
    """

    name: str
    title: str
    tables: Mapping[str, tuple[Line, ...]]

    def rows(self) -> tuple[Row, ...]:
        """The rows, by interface and device type, in a table's order.

        A metric is the same whichever interface it comes from: its HELP names the keys of all.
        """
        sources: dict[str, list[Line]] = {}
        for line in chain.from_iterable(self.tables.values()):
            sources.setdefault(line.metric, []).append(line)
        metrics = {name: _metric(self.name, lines) for name, lines in sources.items()}
        codes = {name: _code_metric(self.name, lines) for name, lines in sources.items()}
        return tuple(
            Row(
                interface=interface,
                device_type=device_type,
                key=line.key.format(part),
                series=series_of(metrics[line.metric], *labels),
                factor=line.factor,
                source_unit=line.source_unit,
                states=line.states,
                words=line.words,
                code=series_of(code, *labels) if (code := codes[line.metric]) else None,
                fallback_for=line.fallback_for.format(part),
                stand_in=line.stand_in,
                # So do servers say that there is no time, too.
                zero_is_absent=line.zero_is_absent or line.metric.endswith(TIMESTAMP),
                range=plausible_range(metrics[line.metric], labels, device_type),
            )
            for interface, lines in self.tables.items()
            for device_type in _types(lines)
            for line in lines
            if device_type in line.types
            for part, labels in line.label.values.items()
        )


def _types(lines: Iterable[Line]) -> list[int | None]:
    types = {device_type for line in lines for device_type in line.types}
    return sorted(types, key=lambda device_type: device_type or 0)


def runs(keys: Iterable[str]) -> list[tuple[str, str]]:
    """The first and last key of each run that only counts up, as `pv1_u` to `pv36_u` do."""
    found: list[tuple[str, str]] = []
    for key in keys:
        if found and _succeeds(key, found[-1][1]):
            found[-1] = (found[-1][0], key)
        else:
            found.append((key, key))
    return found


def _succeeds(key: str, last: str) -> bool:
    """Whether a key is the next one, as 1.3 comes after 1.2, and 2.1 after 1.3."""
    if _NUMBER.sub("", key) != _NUMBER.sub("", last):
        return False
    numbers, before = ([int(n) for n in _NUMBER.findall(each)] for each in (key, last))
    place = next(
        (n for n, pair in enumerate(zip(numbers, before, strict=True)) if pair[0] != pair[1]), None
    )
    if place is None or numbers[place] != before[place] + 1:
        return False
    return all(number == 1 for number in numbers[place + 1 :])


def _metric(subject: str, lines: list[Line]) -> Metric:
    first = lines[0]
    return Metric(
        name=f"fusionsolar_{subject}_{first.metric}",
        kind=first.kind,
        help=_help(first.sentence, lines),
        unit=UNITS[first.source_unit].base,
        labels=first.label.names,
    )


def _code_metric(subject: str, lines: list[Line]) -> Metric | None:
    first = lines[0]
    if first.states is None:
        return None
    return Metric(
        name=f"fusionsolar_{subject}_{first.metric}_code",
        kind=Kind.GAUGE,
        help=_help(f"{first.sentence}, as the code that was sent", lines),
    )


def _help(sentence: str, lines: list[Line]) -> str:
    keys = dict.fromkeys(chain.from_iterable(line.keys for line in lines))
    named = (start if start == end else f"{start} to {end}" for start, end in runs(keys))
    return f"{sentence} ({', '.join(named)})."
