"""`check`: a new account, looked at once, and told what works and what to do."""

import json
from dataclasses import replace

import pytest
from commands.world import LISTS_ALONE, PASSWORD, expected, run_check, trial, world

from exporter import cli
from exporter.simulator.http.sessions import User

pytestmark = pytest.mark.slow


def configuration_lines(account):
    return [each["paste"] for each in account["findings"]]


def test_the_whole_report(home, capsys):
    assert home.run("check") == 0

    shown = capsys.readouterr().out
    assert shown == expected("check").format(url=home.url, config=home.config)
    assert home.calls("login") == 1
    assert home.refused() == 0


def test_each_result_is_told_before_the_next_call_is_waited_for(home, capsys):
    told, wait = [], home.clock.wait

    def listening(seconds):
        told.append(capsys.readouterr().out.splitlines())
        return wait(seconds)

    home.clock.wait = listening
    home.run("check")

    assert [lines[-1].split() for lines in told] == [
        ["getDevRealKpi", kind, "permitted", "values", "of", "1", "of", "1"]
        for kind in ("string_inverter", "battery")
    ]
    assert told[0][:4] == [
        f"ACCOUNT home at {home.url}",
        "",
        "INTERFACES",
        "Interface           Device type          Outcome",
    ]


def test_it_says_beforehand_how_long_it_takes_and_then_what_it_waits_for(tmp_path, capsys):
    with world(tmp_path, plants=3) as home:
        home.run("check")
        err = capsys.readouterr().err.splitlines()
        took = home.clock.at - 1_000.0

    assert err[:2] == [
        "home: login and lists first, then it is known how long the rest takes",
        "14 more calls: that takes about 9 minutes, since each waits for its allowance",
    ]
    assert err[2:] == ["waiting 61 s for the allowance of getDevRealKpi"] * 8
    assert 8 * 60 < took < 9 * 60


def test_as_json_it_tells_the_same_apart_from_the_document(home, capsys):
    home.run("check", "--format", "json")

    out, err = capsys.readouterr()
    assert list(json.loads(out)) == ["accounts", "next"]
    assert "login                                    permitted    logged in" in err.splitlines()


def test_the_report_as_json(home, capsys):
    status, account, following = run_check(home, capsys)

    assert status == 0
    assert account["plants"] == [
        {
            "code": "NE=33554432",
            "name": "Haus Müller",
            "capacity_watts": 9900.0,
            "devices": {
                "string_inverter": 1, "battery": 1, "power_sensor": 1, "dongle": 1, "optimizer": 4,
            },
        }
    ]  # fmt: skip
    assert trial(account, "getStationRealKpi") == {
        "interface": "getStationRealKpi",
        "outcome": "permitted",
        "words": "values of 1 of 1",
        "device_type": None,
        "reason": None,
        "remedy": "",
        "wait": None,
        "recovered": [],
    }
    assert account["plan"][1] == {
        "interface": "getStationRealKpi",
        "calls": 1,
        "pace": 300.0,
        "freshness": 300.0,
        "fresher": ["limits: classic (1 min), if older than July 2022"],
    }
    assert account["findings"] == []
    assert following.startswith("all is well")


def test_a_second_check_uses_the_session_and_the_fleet_of_the_first(home, capsys):
    home.run("check")
    home.clock.pass_by(600)
    capsys.readouterr()

    _, account, _ = run_check(home, capsys)

    assert trial(account, "login")["words"] == "the session from before is used"
    assert home.calls("login") == 1
    assert home.refused() == 0


def test_what_is_not_allowed_soon_is_said_and_not_tried(home, capsys):
    home.run("check")
    capsys.readouterr()

    status, account, _ = run_check(home, capsys)

    assert status == 0
    assert trial(account, "getAlarmList")["outcome"] == "not tried"
    assert trial(account, "getAlarmList")["words"] == (
        "the next call of getAlarmList is allowed in 1818 s"
    )
    assert home.refused() == 0


def test_a_list_that_may_not_be_read_now_is_taken_from_the_state(home, capsys):
    home.run("check")
    capsys.readouterr()
    home.clock.pass_by(100)
    home.configure(
        interfaces={"getStationList": {"allowance": {"calls": 1, "per": "1h"}}},
    )

    _, account, _ = run_check(home, capsys)

    assert trial(account, "getStationList")["outcome"] == "not tried"
    assert len(account["plants"]) == 1


def test_alarms_are_asked_for_as_the_configuration_says(home):
    asked, handle = [], home.system.handle

    def listening(method, path, headers, body):
        if path.endswith("getAlarmList"):
            asked.append(json.loads(body))
        return handle(method, path, headers, body)

    home.system.handle = listening
    home.configure(alarms={"language": "de_DE", "levels": ["major"], "types": ["protection"]})

    home.run("check")

    assert (asked[0]["language"], asked[0]["levels"], asked[0]["types"]) == ("de_DE", "2", "3")


def test_a_plant_without_a_place_is_named_with_the_line_to_fill_in(home, capsys):
    home.configure(plant_coordinates={"NE=1": [1.5, -2.0]})
    plant = home.system.fleet.plants["NE=33554432"]
    home.system.fleet.add_plant(replace(plant, latitude=0.0, longitude=0.0))

    _, account, _ = run_check(home, capsys)

    assert configuration_lines(account) == [
        'plant_coordinates: {"NE=1": [1.5, -2.0], "NE=33554432": [LATITUDE, LONGITUDE]}'
    ]


def test_unknown_keys_and_states_are_named(home, capsys):
    home.system.faults.add("unknown_keys", interface="getStationRealKpi")
    home.system.faults.add(
        "value", interface="getDevRealKpi", members=["-214543629611879"], value=7
    )

    _, account, _ = run_check(home, capsys)

    words = [each["words"] for each in account["findings"]]
    assert (
        "keys that this version does not know: plant: battery_unit_info, plant: selfUsePower"
        in (words)
    )
    assert any(word.startswith("fusionsolar_inverter_state had codes") for word in words)
    assert "unknown_keys: export" in configuration_lines(account)


def test_beside_a_daemon_its_session_is_used_and_nothing_is_refused(home, capsys):
    with home.daemon():
        home.clock.pass_by(600)
        status, account, following = run_check(home, capsys)

    assert status == 0
    assert trial(account, "login")["words"] == "the session from before is used"
    assert following == "all is well; the exporter runs already"
    assert home.calls("login") == 1
    assert home.refused() == 0


def test_beside_a_daemon_the_fleet_is_shown_as_it_is_but_written_by_the_daemon(home, capsys):
    with home.daemon():
        home.clock.pass_by(600)
        before = home.database.read("fleet")
        home.system.fleet.rename_plant("NE=33554432", "Haus Meier")
        _, account, _ = run_check(home, capsys)
        assert home.database.read("fleet") == before

    assert account["plants"][0]["name"] == "Haus Meier"


def test_beside_a_daemon_whose_session_was_lost_it_says_to_wait(home, capsys):
    with home.daemon():
        home.clock.pass_by(600)
        home.system.sessions.end("api")
        home.clock.daemon = None  # between two of its calls

        status, account, following = run_check(home, capsys)

    _, first = account["interfaces"]  # the login, and one call, after which no other is of use
    assert "try again in a minute" in first["words"]
    assert following == "nothing could be asked of home yet, as said above; check again later"
    assert status == 1


def test_without_a_state_directory_the_start_has_to_wait(home, capsys):
    home.configure(state=False)

    _, _, following = run_check(home, capsys)

    assert following.startswith("all is well; wait half an hour, since without a state directory")


def test_each_account_is_checked_and_one_that_fails_leaves_the_others_alone(home, capsys):
    account = {"base_url": home.url, "username": "api", "password": PASSWORD}
    home.configure(accounts=[{"name": "a", **account, "password": "wrong"}, {"name": "b", **account,
        "username": "api2"}])  # fmt: skip
    home.system.users["api2"] = User(PASSWORD)

    status = home.run("check", "--format", "json")
    found = json.loads(capsys.readouterr().out)["accounts"]

    assert status == 1
    assert [len(each["plants"]) for each in found] == [0, 1]
    assert home.run("check", "--account", "b") == 0


def test_a_large_fleet_is_listed_once_and_then_known(tmp_path, capsys):
    with world(tmp_path, plants=101) as home:
        home.configure(interfaces=LISTS_ALONE)
        _, account, _ = run_check(home, capsys)
        assert (len(account["plants"]), home.calls("getDevList")) == (101, 2)
        home.clock.pass_by(3_600)
        run_check(home, capsys)
        assert home.calls("getDevList") == 3
        assert home.refused() == 0


def devices_of(home):
    """The devices that are stored."""
    with home.stored() as state:
        return state.fleet.devices


def test_what_a_wider_filter_lets_in_is_listed_to_its_end(tmp_path, capsys):
    with world(tmp_path, plants=101) as home:
        home.configure(account={"device_types": ["grid_meter"]}, interfaces=LISTS_ALONE)
        run_check(home, capsys)
        assert 0 < len(devices_of(home)) < len(home.system.fleet.devices)

        home.configure(interfaces=LISTS_ALONE)
        home.clock.pass_by(3_600)
        run_check(home, capsys)
        assert len(devices_of(home)) == len(home.system.fleet.devices)


def test_the_command_line_leads_here(home, capsys):
    home.configure(account={"base_url": "http://127.0.0.1:9"})

    assert cli.main(["check", "--config.file", str(home.config)]) == 1

    assert capsys.readouterr().out.startswith("ACCOUNT home at http://127.0.0.1:9\n")
