"""Names and HELP texts: Prometheus' conventions, and ours."""

import re

from prometheus.promtool import check_metrics, needs_promtool

from exporter.catalogue.index import ROWS, SUBJECTS
from exporter.catalogue.model import Metric
from exporter.exposition import families
from exporter.exposition.families import INVENTORY, OWN


def metrics_of(row):
    return [series.metric for series in (row.series, row.code) if series]


KEYS = {}
STATES = {}
for _row in ROWS:
    for _metric in metrics_of(_row):
        KEYS.setdefault(_metric, set()).add(_row.key)
    if _row.state_names:
        STATES[_row.metric] = _row.state_names
METRICS = list(KEYS)
EVERY = [*METRICS, *INVENTORY, *OWN]


def page():
    lines = []
    for metric in METRICS:
        states = STATES.get(metric, {})
        names = [*metric.labels, metric.name] if states else metric.labels
        labels = ",".join(f'{name}="x"' for name in ("account", "plant_code", "device_id", *names))
        kind = "gauge" if states or metric.kind == "info" else metric.kind
        lines += [
            f"# HELP {metric.name} {metric.help}",
            f"# TYPE {metric.name} {kind}",
            f"{metric.name}{{{labels}}} 1",
        ]
    return "\n".join(lines) + "\n"


def test_names_are_lower_case_words_that_begin_with_their_subject():
    for subject in SUBJECTS:
        pattern = rf"fusionsolar_{subject.name}(_[a-z][a-z0-9]*)+"
        for row in subject.rows():
            for metric in metrics_of(row):
                assert re.fullmatch(pattern, metric.name), metric.name


def test_every_metric_without_a_key_is_described():
    defined = {each for each in vars(families).values() if isinstance(each, Metric)}
    assert defined == {*INVENTORY, *OWN}


def test_no_subjects_metrics_pass_for_those_of_another():
    names = [f"{subject.name}_" for subject in SUBJECTS]

    assert [(a, b) for a in names for b in names if a != b and b.startswith(a)] == []


def test_no_two_metrics_have_the_same_name():
    names = [metric.name for metric in EVERY]
    assert len(set(names)) == len(names)


def test_a_name_ends_in_its_unit_and_a_counters_in_total_after_it():
    for metric in EVERY:
        ending = "_".join(filter(None, (metric.unit, "total" if metric.kind == "counter" else "")))
        assert metric.name.endswith(f"_{ending}" if ending else ""), metric.name
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name


def test_a_name_without_a_unit_is_a_state_or_one_of_these():
    states = {name for metric in STATES for name in (metric.name, f"{metric.name}_code")}
    without = {metric.name for metric in EVERY if not metric.unit} - states
    assert {name.removeprefix("fusionsolar_") for name in without} == {
        "plant_day_income",
        "plant_income",
        "plant_period_income",
        "plant_period_trees",
        "inverter_power_factor",
        "meter_power_factor",
        "battery_module_info",
        "combiner_lightning_strikes",
        "transformer_power_factor",
        "rack_discharges",
        "account_info",
        "plant_info",
        "device_info",
        "device_upgrade_info",
        "plant_unknown_value",
        "device_unknown_value",
        "alarms_total",
        "alarms_active",
        "alarm_active",
        "alarm_status_code",
        "alarms_left_out",
        "exporter_build_info",
        "exporter_config_last_reload_successful",
        "exporter_errors_total",
        "exporter_state_writable",
        "exporter_account_held",
        "up",
        "api_logins_total",
        "api_sessions_lost_total",
        "api_requests_total",
        "api_request_failures_total",
        "api_rate_limited_total",
        "interface_permitted",
        "devices_unanswered",
        "values_rejected_total",
        "unknown_keys_total",
        "unknown_states_total",
        "plants",
        "devices",
    }


def test_helps_are_sentences():
    for metric in EVERY:
        without_keys = re.sub(r" \(\w+\.[^)]+\)", "", metric.help)  # some keys hold full stops
        assert re.fullmatch(r"[A-Z][^.]+\.", without_keys), metric.help


def test_helps_name_the_keys():
    for metric, keys in KEYS.items():
        named = set(re.split(r", | to ", re.search(r"\((.+)\)\.$", metric.help)[1]))
        assert named <= keys, metric.help


def test_power_that_has_a_sign_says_which_is_which():
    helps = {metric.name: metric.help for metric in METRICS}

    assert helps["fusionsolar_meter_active_power_watts"] == (
        "Active power at a meter, positive while it is fed into the grid (active_power)."
    )
    assert helps["fusionsolar_battery_power_watts"] == (
        "Power of a battery, positive while it charges (ch_discharge_power)."
    )


@needs_promtool
def test_promtool_has_nothing_to_say():
    assert check_metrics(page()) == (0, "")
