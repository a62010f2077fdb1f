"""What holds for every row of the catalogue."""

import re
from collections import Counter
from pathlib import Path

import pytest

from exporter.catalogue.index import CODES, ROWS, lookup
from exporter.catalogue.model import Kind
from exporter.catalogue.units import UNITS
from exporter.northbound.interfaces import INTERFACES, Content


def duplicates(items):
    return {item for item, count in Counter(items).items() if count > 1}


def is_statistic(row):
    return INTERFACES[row.interface].content is Content.STATISTICS


def test_no_key_of_a_source_stands_twice():
    assert duplicates((row.interface, row.device_type, row.key) for row in ROWS) == set()


def series_of(row):
    return row.interface, row.device_type, row.metric.name, row.labels


def test_no_two_keys_of_a_source_become_one_series_but_one_in_anothers_place():
    assert duplicates(series_of(row) for row in ROWS if not row.fallback_for) == set()
    for row in ROWS:
        if row.fallback_for:
            preferred = lookup(row.interface, row.device_type)[row.fallback_for]
            assert series_of(row) == series_of(preferred)
            assert (row.factor, preferred.fallback_for) == (preferred.factor, "")


def test_a_metric_means_the_same_wherever_it_comes_from():
    metrics = {row.metric for row in ROWS} | {row.code.metric for row in ROWS if row.states}

    assert duplicates(metric.name for metric in metrics) == set()


def test_a_metric_has_the_states_of_one_enumeration_only():
    states = {(row.metric.name, tuple((row.states or row.words or {}).items())) for row in ROWS}

    assert duplicates(name for name, _ in states) == set()


def test_every_label_has_a_value_but_the_window_of_a_statistic_and_the_text_of_an_info():
    for row in ROWS:
        lacks = is_statistic(row) or row.metric.kind is Kind.INFO
        constant = row.metric.labels[:-1] if lacks else row.metric.labels
        assert len(row.labels) == len(constant), row


def test_only_statistics_have_a_period_and_a_window():
    for row in ROWS:
        if is_statistic(row):
            assert row.metric.labels == ("period", "window")
        else:
            assert {"period", "window"}.isdisjoint(row.metric.labels)


def test_every_statistic_is_a_gauge_called_a_periods():
    for row in filter(is_statistic, ROWS):
        assert row.metric.kind is Kind.GAUGE
        assert re.match(r"fusionsolar_[a-z]+_period_", row.metric.name)


def test_the_period_of_a_statistic_is_its_interfaces():
    for row in filter(is_statistic, ROWS):
        (period,) = row.labels
        assert row.interface.endswith(period.title())


def test_every_source_of_statistics_tells_when_a_period_began():
    sources = {(row.interface, row.device_type): row for row in filter(is_statistic, ROWS)}

    for (interface, device_type), row in sources.items():
        subject = row.metric.name.split("_")[1]
        start = lookup(interface, device_type)["collectTime"]
        assert start.metric.name == f"fusionsolar_{subject}_period_start_timestamp_seconds"
        assert start.factor == 0.001


def test_the_source_unit_gives_the_unit_and_the_factor():
    wrong = [
        row
        for row in ROWS
        if (row.metric.unit, abs(row.factor))
        != (UNITS[row.source_unit].base, UNITS[row.source_unit].factor)
    ]

    assert wrong == []


def test_only_the_powers_of_an_emma_are_sent_with_the_other_sign():
    negated = {(row.device_type, row.key) for row in ROWS if row.factor < 0}

    assert negated == {
        (23070, "active_power"),
        (23070, "active_power_a"),
        (23070, "active_power_b"),
        (23070, "active_power_c"),
        (23070, "reactive_power"),
        (23070, "ex_active_power"),
    }


def test_statesets_have_states_and_a_code_or_words_and_nothing_else_has():
    for row in ROWS:
        is_stateset = row.metric.kind is Kind.STATESET
        assert (row.states is not None) is (row.code is not None)
        assert (row.states is not None) + (row.words is not None) == is_stateset
        assert bool(row.state_names) is is_stateset


def test_every_unit_is_in_use():
    assert {row.source_unit for row in ROWS} == UNITS.keys()


def test_every_type_of_an_interface_in_the_catalogue_has_its_rows():
    catalogued = {}
    for row in ROWS:
        catalogued.setdefault(row.interface, set()).add(row.device_type)

    expected = {name: INTERFACES[name].device_types or {None} for name in catalogued}
    assert catalogued == expected


def test_a_source_nobody_wrote_a_table_for_has_no_rows():
    assert dict(lookup("getDevRealKpi", 62)) == {}
    assert dict(lookup("getStationRealKpi", 1)) == {}


def test_a_lookup_cannot_be_changed():
    with pytest.raises(TypeError):
        lookup("getDevRealKpi", 1)["pv1_u"] = None


def test_a_lookup_holds_the_rows_of_its_source_in_order():
    rows = [row for row in ROWS if (row.interface, row.device_type) == ("getDevRealKpi", 17)]

    assert list(lookup("getDevRealKpi", 17).values()) == rows


def test_no_alert_and_no_dashboard_reads_a_named_state_that_has_a_code():
    root = Path(__file__).parents[2]
    files = [*root.glob("prometheus/rules/*.yml"), *root.glob("grafana/dashboards/*.json")]
    asked = {name for file in files for name in re.findall(r"fusionsolar_\w+", file.read_text())}
    assert {*CODES.values()} & asked
    assert {*CODES} & asked == set()
