import time

import pytest
from exposition.world import DEVICES, World, series_of
from prometheus.promtool import check_metrics, needs_promtool
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exporter.exposition.families import OWN
from exporter.exposition.page import Format, Page
from exporter.exposition.telemetry import Telemetry
from exporter.northbound.errors import fail_code_error, named_error, status_error
from exporter.northbound.records import Device, Plant

# The contract: every name with its type and exactly these labels.
INTERFACE = {"account", "interface"}
CONTRACT = {
    "fusionsolar_up": ("gauge", {"account"}),
    "fusionsolar_exporter_build_info": ("gauge", {"version", "python_version"}),
    "fusionsolar_exporter_config_last_reload_successful": ("gauge", set()),
    "fusionsolar_exporter_config_last_reload_success_timestamp_seconds": ("gauge", set()),
    "fusionsolar_exporter_errors_total": ("counter", {"part"}),
    "fusionsolar_exporter_state_writable": ("gauge", {"account"}),
    "fusionsolar_exporter_account_held": ("gauge", {"account"}),
    "fusionsolar_api_requests_total": ("counter", INTERFACE),
    "fusionsolar_api_request_failures_total": ("counter", INTERFACE | {"reason"}),
    "fusionsolar_api_request_duration_seconds": ("histogram", INTERFACE),
    "fusionsolar_api_rate_limited_total": ("counter", INTERFACE),
    "fusionsolar_interface_permitted": ("gauge", INTERFACE),
    "fusionsolar_interface_pace_seconds": ("gauge", INTERFACE),
    "fusionsolar_interface_walk_seconds": ("gauge", INTERFACE),
    "fusionsolar_interface_last_success_timestamp_seconds": ("gauge", INTERFACE),
    "fusionsolar_devices_unanswered": ("gauge", INTERFACE),
    "fusionsolar_values_rejected_total": ("counter", INTERFACE | {"reason"}),
    "fusionsolar_unknown_keys_total": ("counter", INTERFACE),
    "fusionsolar_api_logins_total": ("counter", {"account"}),
    "fusionsolar_api_sessions_lost_total": ("counter", {"account"}),
    "fusionsolar_unknown_states_total": ("counter", {"account", "metric"}),
    "fusionsolar_plants": ("gauge", {"account"}),
    "fusionsolar_devices": ("gauge", {"account", "device_type"}),
}
REALTIME = DEVICES.name


@pytest.fixture
def world():
    """An account to which everything has happened that is counted."""
    world = World(itself=True)
    world.telemetry.introduce("home", ["login", REALTIME])
    world.telemetry.of("home").state_writable.labels("home").set(1)
    world.telemetry.account_held.labels("home").set(1)
    world.request("login", seconds=0.2)
    world.request(REALTIME, seconds=1.5, permitted=True)
    for error in (fail_code_error(407), status_error(502), named_error("timeout")):
        world.request(REALTIME, error=error, seconds=0.3)
    world.show(up=True, sessions_lost=1, unanswered={REALTIME: 3})
    world.show(rejected={REALTIME: {"duplicate": 2}})
    world.plan(DEVICES, duration=120.0, max_age=360.0)
    world.fleet(Plant("P", "Plant"), Device("1", "P", 1))
    world.answer(DEVICES, ["1"], {"1": {"active_power": 1.0, "inverter_state": 512.0}})
    return world


def families(telemetry):
    text = Page(telemetry.registries, time.monotonic).exposition(Format.OPENMETRICS).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_the_documented_metrics_are_all_there_with_exactly_their_labels(world):
    seen = {}
    for family in families(world.telemetry).values():
        if family.name.startswith("fusionsolar_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {frozenset(sample.labels) - {"le"} for sample in family.samples}
            seen[name] = (family.type, *map(set, labels))
    assert seen == CONTRACT


def test_the_described_metrics_are_the_documented_ones():
    described = [(metric.name, (str(metric.kind), set(metric.labels))) for metric in OWN]
    assert dict(described) == CONTRACT
    assert len(described) == len(CONTRACT)


def test_there_is_nothing_beside_them_but_process_and_python(world):
    names = {series.partition("{")[0] for series, _ in series_of(text_of(world.telemetry))}
    own = {name for name in names if name.startswith("fusionsolar_")}
    assert {name for name in own if name.endswith(("_created", "_gcount"))} == set()
    assert all(name.startswith(("process_", "python_")) for name in names - own)
    assert {"process_cpu_seconds_total", "python_info"} <= names


def text_of(telemetry):
    return Page(telemetry.registries, time.monotonic).exposition(Format.TEXT).decode()


def test_counters_are_at_zero_before_anything_has_happened():
    telemetry = Telemetry()
    telemetry.introduce("home", ["login", REALTIME])
    counted = {
        series: value
        for series, value in series_of(text_of(telemetry))
        if series.startswith("fusionsolar_") and "build_info" not in series
    }
    assert set(counted.values()) == {0.0}
    names = {series.partition("{")[0] for series in counted}
    counters = {name for name, (kind, _) in CONTRACT.items() if kind == "counter"}
    assert counters < names
    for interface in ("login", REALTIME):
        of = f"{{account=home,interface={interface}"
        assert f"fusionsolar_api_requests_total{of}}}" in counted
        assert f"fusionsolar_api_request_duration_seconds_count{of}}}" in counted
        for reason in ("305", "407", "connection", "malformed", "timeout"):
            assert f"fusionsolar_api_request_failures_total{of},reason={reason}}}" in counted
        for reason in (
            "not_a_number", "not_finite", "wrong_type", "counter_fell", "duplicate",
            "not_asked_for",
        ):  # fmt: skip
            assert f"fusionsolar_values_rejected_total{of},reason={reason}}}" in counted
    assert "fusionsolar_up{account=home}" in counted
    assert (
        "fusionsolar_unknown_states_total{account=home,metric=fusionsolar_inverter_state}"
    ) in counted


def test_every_request_is_counted_and_timed(world):
    of = {"interface": REALTIME}
    assert world.self_metric("fusionsolar_api_requests_total", **of) == 4
    assert world.self_metric("fusionsolar_api_request_duration_seconds_count", **of) == 4
    assert world.self_metric("fusionsolar_api_request_duration_seconds_sum", **of) == pytest.approx(
        2.4
    )
    assert world.self_metric("fusionsolar_api_request_duration_seconds_bucket", **of, le="0.5") == 3
    assert world.self_metric("fusionsolar_api_requests_total", interface="login") == 1


def test_logins_are_requests_that_are_also_counted_as_logins(world):
    assert world.self_metric("fusionsolar_api_logins_total") == 1
    world.request("login", error=fail_code_error(20400))
    assert world.self_metric("fusionsolar_api_logins_total") == 2


def test_failures_are_counted_by_reason(world):
    counted = {
        reason: world.self_metric(
            "fusionsolar_api_request_failures_total", interface=REALTIME, reason=reason
        )
        for reason in ("305", "407", "connection", "http_502", "malformed", "timeout", "20006")
    }
    assert counted == {
        "305": 0, "407": 1, "connection": 0, "http_502": 1, "malformed": 0, "timeout": 1,
        "20006": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "limited"),
    [
        (fail_code_error(407), 1),
        (status_error(403), 1),
        (status_error(429), 1),
        (status_error(401), 0),
        (status_error(503), 0),
        (fail_code_error(305), 0),
        (fail_code_error(20200), 0),
        (named_error("timeout"), 0),
    ],
    ids=lambda each: getattr(each, "reason", None),
)
def test_refusals_for_frequency_are_counted_as_such(error, limited):
    world = World()
    world.telemetry.introduce("home", [REALTIME])
    world.request(REALTIME, error=error)
    assert world.self_metric("fusionsolar_api_rate_limited_total", interface=REALTIME) == limited


def test_the_last_success_is_that_of_a_proper_answer(world):
    name, of = "fusionsolar_interface_last_success_timestamp_seconds", {"interface": REALTIME}
    first = world.epoch
    world.epoch += 60
    world.request(REALTIME, error=fail_code_error(407))
    assert world.self_metric(name, **of) == first
    world.request(REALTIME)
    assert world.self_metric(name, **of) == first + 60


def test_what_changes_is_shown(world):
    assert world.self_metric("fusionsolar_up") == 1
    assert world.self_metric("fusionsolar_api_sessions_lost_total") == 1
    assert world.self_metric("fusionsolar_interface_permitted", interface=REALTIME) == 1
    assert world.self_metric("fusionsolar_devices_unanswered", interface=REALTIME) == 3
    assert world.self_metric("fusionsolar_interface_pace_seconds", interface=REALTIME) == 60
    assert world.self_metric("fusionsolar_interface_walk_seconds", interface=REALTIME) == 120
    world.show(up=False)
    world.request(REALTIME, error=fail_code_error(401), permitted=False)
    assert world.self_metric("fusionsolar_up") == 0
    assert world.self_metric("fusionsolar_interface_permitted", interface=REALTIME) == 0


def test_the_whole_page_holds_no_series_twice(world):
    names = {series.partition("{")[0] for series in world.series()}
    assert {"fusionsolar_device_info", "fusionsolar_up", "process_open_fds"} <= names


def test_an_openmetrics_parser_accepts_the_whole_page(world):
    text = world.page.exposition(Format.OPENMETRICS).decode()
    names = [family.name for family in text_string_to_metric_families(text)]
    assert len(set(names)) == len(names)


@needs_promtool
def test_promtool_has_nothing_to_say(world):
    assert check_metrics(world.text()) == (0, "")


def test_an_account_that_is_gone_leaves_nothing_behind(world):
    world.telemetry.introduce("office", [REALTIME])
    world.telemetry.reload_successful.set(1)
    world.telemetry.drop_account("home")
    left = [series for series, _ in series_of(text_of(world.telemetry))]
    assert [series for series in left if "account=home" in series] == []
    assert f"fusionsolar_api_requests_total{{account=office,interface={REALTIME}}}" in left
    assert "fusionsolar_exporter_config_last_reload_successful{}" in left
    world.telemetry.drop_account("home")


def test_an_account_with_other_settings_counts_on_and_drops_what_depends_on_them(world):
    before = dict(series_of(text_of(world.telemetry)))
    world.telemetry.introduce("home", ["login", REALTIME])
    after = dict(series_of(text_of(world.telemetry)))
    gone = {series.partition("{")[0] for series in before.keys() - after}
    assert gone == {
        "fusionsolar_devices",
        "fusionsolar_devices_unanswered",
        "fusionsolar_interface_pace_seconds",
        "fusionsolar_interface_permitted",
        "fusionsolar_interface_walk_seconds",
    }
    changed = {s for s in after if s.startswith("fusionsolar_") and after[s] != before[s]}
    assert changed == {"fusionsolar_plants{account=home}"}


def test_an_interface_that_is_no_longer_called_leaves_nothing_behind(world):
    world.telemetry.introduce("office", [REALTIME])
    world.telemetry.introduce("home", ["login"])
    left = dict(series_of(text_of(world.telemetry)))
    of = f"interface={REALTIME}"
    assert [series for series in left if "account=home" in series and of in series] == []
    assert left["fusionsolar_api_requests_total{account=home,interface=login}"] == 1
    assert f"fusionsolar_api_requests_total{{account=office,{of}}}" in left


def test_a_reload_is_shown_by_two_gauges_of_no_account(world):
    world.telemetry.reload_successful.set(1)
    world.telemetry.reload_timestamp.set(1_750_798_800.5)
    shown = dict(series_of(text_of(world.telemetry)))
    name = "fusionsolar_exporter_config_last_reload"
    assert shown[f"{name}_successful{{}}"] == 1.0
    assert shown[f"{name}_success_timestamp_seconds{{}}"] == 1_750_798_800.5
