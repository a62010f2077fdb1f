"""A changed setting takes effect with the reload, and nothing else changes."""

import pytest
from reloads.running import (
    account,
    ready,
    wait,
)
from structlog.testing import capture_logs

pytestmark = pytest.mark.slow


def test_labels_of_a_target_change_while_its_account_goes_on_undisturbed(server, run, tmp_path):
    running = ready(run(tmp_path, account(server.url, labels={"customer": "1"})))
    thread = running.threads()["poller home"]
    assert {name: dict(each) for name, each in running.reload.targets().items()} == {
        "home": {"customer": "1"}
    }

    assert running.change(account(server.url, labels={"customer": "2", "region": "west"})) is None

    assert {name: dict(each) for name, each in running.reload.targets().items()} == {
        "home": {"customer": "2", "region": "west"}
    }
    assert running.threads()["poller home"] is thread


def test_states_are_named_or_not_as_soon_as_it_is_wanted(server, run, tmp_path):
    running = ready(run(tmp_path, account(server.url)))
    named = {"fusionsolar_inverter_state", "fusionsolar_inverter_run_state"}
    assert named <= running.names()
    code = running.value("fusionsolar_inverter_state_code")

    assert running.change(account(server.url), states="codes") is None

    assert named & running.names() == set()
    assert {f"{name}_code" for name in named} <= running.names()
    assert running.value("fusionsolar_inverter_state_code") == code

    running.change(account(server.url))
    assert named <= running.names()


def test_unknown_keys_are_exported_as_soon_as_it_is_wanted(management, server, run, tmp_path):
    management.faults.add("unknown_keys", interface="getStationRealKpi")
    running = ready(run(tmp_path, account(server.url)))
    assert "fusionsolar_plant_unknown_value" not in running.names()
    running.change(account(server.url), unknown_keys="export")
    assert "fusionsolar_plant_unknown_value" in running.names()


def test_currency_and_alarm_levels_take_effect_at_once(server, run, tmp_path):
    running = ready(run(tmp_path, account(server.url)))

    running.change(account(server.url), currency="EUR", alarms={"levels": ["major"]})

    labels = {label for key in running.series() for label in key[1:]}
    assert {value for name, value in labels if name == "currency"} == {"EUR"}
    assert {value for name, value in labels if name == "severity"} == {"major"}


def test_factors_and_places_take_effect_at_once(server, run, tmp_path):
    running = ready(run(tmp_path, account(server.url)))
    constant = "fusionsolar_battery_max_charge_power_watts"
    before = {key: value for key, value in running.series().items() if key[0] == constant}
    code = next(dict(key[1:])["plant_code"] for key in before)

    running.change(
        account(server.url),
        factors=[{"device_type": 39, "key": "max_charge_power", "factor": 0.5}],
        plant_coordinates={code: [1.5, 2.5]},
    )

    after = running.series()
    place = ("fusionsolar_plant_latitude_degrees", ("account", "home"), ("plant_code", code))
    assert after[place] == 1.5
    assert {key: after[key] for key in before} == {key: each / 2 for key, each in before.items()}


def test_limits_and_interfaces_take_effect(server, run, tmp_path):
    running = ready(run(tmp_path, account(server.url)))
    slow = account(server.url)
    slow["interfaces"]["getStationRealKpi"] = {"allowance": {"calls": 1, "per": "1h"}}
    slow["interfaces"]["getDevRealKpi"] = {"enabled": False}
    pace = {"account": "home", "interface": "getStationRealKpi"}

    running.change(slow)

    assert running.value("fusionsolar_interface_pace_seconds", **pace) == 3_600.0
    assert "fusionsolar_inverter_state_code" not in running.names()
    assert "fusionsolar_plant_health_state_code" in running.names()


def test_nothing_is_shown_of_what_is_no_longer_asked_for(server, run, state):
    running = ready(run(state, account(server.url)))
    assert len(labels_of(running, "device_type")) > 1
    assert "getAlarmList" in labels_of(running, "interface")
    fewer = account(server.url, device_types=["string_inverter"])
    fewer["interfaces"]["getAlarmList"] = {"enabled": False}

    running.change(fewer)

    assert labels_of(running, "device_type") == {"string_inverter"}
    assert labels_of(running, "interface") > {"login", "getDevRealKpi"}
    assert "getAlarmList" not in labels_of(running, "interface")


def test_what_a_wider_filter_lets_in_is_listed_at_once(server, run, state):
    running = ready(run(state, account(server.url, device_types=["string_inverter"])))

    running.change(account(server.url))

    wait(lambda: len(labels_of(running, "device_type")) > 3)


def labels_of(running, name):
    """All values that a label has anywhere."""
    return {value for key in running.series() for label, value in key[1:] if label == name}


def test_another_state_directory_needs_a_restart(server, run, tmp_path):
    running = run(tmp_path / "one", account(server.url))

    with capture_logs() as logs:
        for _ in range(2):
            running.change(account(server.url), state={"directory": str(tmp_path / "two")})

    events = [entry["event"] for entry in logs]
    assert events.count("state needs a restart") == 2
    assert not (tmp_path / "two").exists()
