"""`fusionsolar-exporter metrics`: what programs and people get to see of the catalogue."""

import json
import re
from pathlib import Path

from exporter.catalogue.index import ROWS, lookup
from exporter.catalogue.listing import describe_rows, render_markdown
from exporter.catalogue.model import Kind, Metric

UP = Metric(
    "fusionsolar_up",
    Kind.GAUGE,
    "Whether the account is logged in.",
    labels=("account", "interface"),
)


def described(device_type, key, interface=None):
    interface = interface or ("getStationRealKpi" if device_type is None else "getDevRealKpi")
    return describe_rows([lookup(interface, device_type)[key]])[0]


def test_the_listing_holds_every_row_in_order():
    listed = [(entry["interface"], entry["device_type"], entry["key"]) for entry in describe_rows()]

    assert listed == [(row.interface, row.device_type, row.key) for row in ROWS]


def test_the_listing_survives_json():
    assert json.loads(json.dumps(describe_rows())) == describe_rows()


def test_a_gauge_is_listed_with_the_labels_of_its_key():
    assert described(14, "center_i_3") == {
        "interface": "getDevRealKpi",
        "device_type": 14,
        "key": "center_i_3",
        "metric": "fusionsolar_inverter_string_current_amperes",
        "type": "gauge",
        "factor": 1.0,
        "labels": {"string": "3"},
        "unit": "amperes",
        "source_unit": "A",
        "help": "Current of a string (pv1_i to pv36_i, center_i_1 to center_i_10).",
    }


def test_a_counter_is_listed_by_the_name_on_its_lines():
    assert described(None, "total_power") == {
        "interface": "getStationRealKpi",
        "device_type": None,
        "key": "total_power",
        "metric": "fusionsolar_plant_energy_joules_total",
        "type": "counter",
        "factor": 3_600_000.0,
        "labels": {},
        "unit": "joules",
        "source_unit": "kWh",
        "help": "Lifetime energy produced (total_power).",
    }


def test_a_stateset_is_listed_with_its_states_and_the_metric_of_its_code():
    assert described(47, "meter_status") == {
        "interface": "getDevRealKpi",
        "device_type": 47,
        "key": "meter_status",
        "metric": "fusionsolar_meter_status",
        "type": "stateset",
        "factor": 1.0,
        "labels": {},
        "unit": "",
        "source_unit": "",
        "help": "Operating state of a meter (meter_status).",
        "states": {"0": "offline", "1": "normal"},
        "code_metric": "fusionsolar_meter_status_code",
    }


def test_a_statistic_is_listed_with_its_period_which_alone_is_constant():
    assert described(39, "charge_time", "getDevKpiMonth") == {
        "interface": "getDevKpiMonth",
        "device_type": 39,
        "key": "charge_time",
        "metric": "fusionsolar_battery_period_charge_seconds",
        "type": "gauge",
        "factor": 3600.0,
        "labels": {"period": "month"},
        "unit": "seconds",
        "source_unit": "h",
        "help": "How long a battery charged during the period (charge_time).",
    }


def test_the_tables_show_every_metric_and_code_metric():
    markdown = render_markdown(describe_rows())

    for row in ROWS:
        assert f"`{row.metric.name}`" in markdown
        assert row.code is None or f"`{row.code.metric.name}`" in markdown


def test_the_tables_fold_runs_of_keys_and_join_types_that_agree():
    keys = re.compile(
        r"\w+ (total_power|meter_status|reactive_power|battery_soc|center_i_.*|pv\d+_i)"
        r"|\w+ (radiation_intensity|use_power|product_power|total_aop|process)"
        r"|15 (run_state|temp\w+)"
    )
    rows = [row for row in ROWS if keys.fullmatch(f"{row.device_type} {row.key}")]

    tables = render_markdown(describe_rows(rows), {"The exporter": [UP]})

    assert tables == Path(__file__).with_name("expected_tables.md").read_text("utf-8")


def test_without_rows_there_are_no_tables():
    assert "|" not in render_markdown([])
