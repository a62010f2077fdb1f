"""`check`: a new account, looked at once, and told what works and what to do."""

import json
from dataclasses import replace

import pytest
from commands.world import PASSWORD, checked, expected, trial, world

from exporter import cli
from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.http.sessions import User

pytestmark = pytest.mark.slow

LISTED = ("login", "getStationList", "getDevList")
LISTS_ALONE = {
    name: {"enabled": False}
    for name, row in INTERFACES.items()
    if row.polled and name not in LISTED
}


@pytest.fixture
def home(tmp_path):
    with world(tmp_path) as made:
        yield made


def pastes(account):
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
        "Interface           About                Outcome",
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
    status, account, following = checked(home, capsys)

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

    _, account, _ = checked(home, capsys)

    assert trial(account, "login")["words"] == "the session from before is used"
    assert home.calls("login") == 1
    assert home.refused() == 0


def test_what_is_not_allowed_soon_is_said_and_not_tried(home, capsys):
    home.run("check")
    capsys.readouterr()

    status, account, _ = checked(home, capsys)

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

    _, account, _ = checked(home, capsys)

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


def test_an_account_with_the_paged_list_lives_under_the_newer_limits(tmp_path, capsys):
    user = User(PASSWORD, refused=frozenset({"getStationList"}))
    with world(tmp_path, users={"api": user}, limits="v6") as home:
        status, account, _ = checked(home, capsys)
        assert home.refused() == 0

    assert status == 0
    assert account["limits"]["known"] == "v6"
    assert "stations answers" in account["limits"]["evidence"]
    assert not any("classic" in way for each in account["plan"] for way in each["fresher"])


def test_a_refusal_below_the_classic_pace_speaks_for_the_newer_limits(tmp_path, capsys):
    with world(tmp_path, limits="v6") as home:
        home.configure(account={"limits": "classic"})
        home.run("check")
        capsys.readouterr()
        status, account, _ = checked(home, capsys)

    assert status == 1
    assert account["limits"]["known"] == "v6"


def test_a_refusal_under_an_allowance_of_ones_own_speaks_against_that(home, capsys):
    home.configure(interfaces={"getAlarmList": {"allowance": {"calls": 9, "per": "1m"}}})
    home.system.faults.add("fail_code", interface="getAlarmList", value=407)

    _, account, _ = checked(home, capsys)

    assert "the configured allowance is too large" in account["limits"]["evidence"]


def test_a_refusal_within_all_limits_speaks_of_another_program(home, capsys):
    home.system.faults.add("fail_code", interface="getAlarmList", value=407)

    _, account, _ = checked(home, capsys)

    assert account["limits"]["known"] is None
    assert "another program uses the account" in account["limits"]["evidence"]


def test_more_types_than_the_window_has_minutes_would_be_fresher_with_the_newer_limits(
    tmp_path, capsys
):
    with world(tmp_path, plants=3) as home:
        _, account, _ = checked(home, capsys)

    (realtime,) = [each for each in account["plan"] if each["interface"] == "getDevRealKpi"]
    assert (realtime["calls"], realtime["freshness"]) == (9, 540.0)
    assert realtime["fresher"] == [
        "limits: v6 (5 min), if younger than that",
        "one of device_types less (8 min)",
    ]


def test_a_plant_without_a_place_is_named_with_the_line_to_fill_in(home, capsys):
    home.configure(plant_coordinates={"NE=1": [1.5, -2.0]})
    plant = home.system.fleet.plants["NE=33554432"]
    home.system.fleet.add_plant(replace(plant, latitude=0.0, longitude=0.0))

    _, account, _ = checked(home, capsys)

    assert pastes(account) == [
        'plant_coordinates: {"NE=1": [1.5, -2.0], "NE=33554432": [LATITUDE, LONGITUDE]}'
    ]


def test_unknown_keys_and_states_are_named(home, capsys):
    home.system.faults.add("unknown_keys", interface="getStationRealKpi")
    home.system.faults.add(
        "value", interface="getDevRealKpi", members=["-214543629611879"], value=7
    )

    _, account, _ = checked(home, capsys)

    words = [each["words"] for each in account["findings"]]
    assert (
        "keys that this version does not know: plant: battery_unit_info, plant: selfUsePower"
        in (words)
    )
    assert any(word.startswith("fusionsolar_inverter_state had codes") for word in words)
    assert "unknown_keys: export" in pastes(account)


def test_beside_a_daemon_its_session_is_used_and_nothing_is_refused(home, capsys):
    with home.daemon():
        home.clock.pass_by(600)
        status, account, following = checked(home, capsys)

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
        _, account, _ = checked(home, capsys)
        assert home.database.read("fleet") == before

    assert account["plants"][0]["name"] == "Haus Meier"


def test_beside_a_daemon_whose_session_was_lost_it_says_to_wait(home, capsys):
    with home.daemon():
        home.clock.pass_by(600)
        home.system.sessions.end("api")
        home.clock.daemon = None  # between two of its calls

        _, account, _ = checked(home, capsys)

    assert "try again in a minute" in account["interfaces"][-1]["words"]


def test_without_a_state_directory_the_start_has_to_wait(home, capsys):
    home.configure(state=False)

    _, _, following = checked(home, capsys)

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
        _, account, _ = checked(home, capsys)
        assert (len(account["plants"]), home.calls("getDevList")) == (101, 2)
        home.clock.pass_by(3_600)
        checked(home, capsys)
        assert home.calls("getDevList") == 3
        assert home.refused() == 0


def devices_of(home):
    """The devices that are stored."""
    with home.stored() as state:
        return state.fleet.devices


def test_what_a_wider_filter_lets_in_is_listed_to_its_end(tmp_path, capsys):
    with world(tmp_path, plants=101) as home:
        home.configure(account={"device_types": ["grid_meter"]}, interfaces=LISTS_ALONE)
        checked(home, capsys)
        assert 0 < len(devices_of(home)) < len(home.system.fleet.devices)

        home.configure(interfaces=LISTS_ALONE)
        home.clock.pass_by(3_600)
        checked(home, capsys)
        assert len(devices_of(home)) == len(home.system.fleet.devices)


def test_the_command_line_leads_here(home, capsys):
    home.configure(account={"base_url": "http://127.0.0.1:9"})

    assert cli.main(["check", "--config.file", str(home.config)]) == 1

    assert capsys.readouterr().out.startswith("ACCOUNT home at http://127.0.0.1:9\n")


def test_settings_that_a_plant_does_not_tell_are_no_refusal(tmp_path, capsys):
    with world(tmp_path, plants=3, edition="26") as home:
        wanted = {name: {"enabled": True} for name in ("active-power-control-mode", "battery-mode")}
        home.configure(interfaces=LISTS_ALONE | wanted)
        home.system.faults.add("fail_code", interface="battery-mode", value=20609)
        status, account, _ = checked(home, capsys)

    told, skipped = trial(account, "active-power-control-mode"), trial(account, "battery-mode")
    assert status == 0
    assert (told["outcome"], told["words"]) == ("permitted", "1 with such a setting")
    assert (skipped["outcome"], skipped["recovered"]) == ("permitted", ["20609"])
    assert skipped["words"] == (
        "the devices of the plant are not connected in a way that this works with [20609]"
    )


def test_an_account_without_a_permission_for_settings_is_told_which_may_be_lacking(
    tmp_path, capsys
):
    user = User(PASSWORD, refused=frozenset({"battery-mode"}))
    with world(tmp_path, users={"api": user}, edition="26") as home:
        home.configure(interfaces=LISTS_ALONE | {"battery-mode": {"enabled": True}})
        _, account, _ = checked(home, capsys)

    assert trial(account, "battery-mode")["reason"] == "401"
    assert trial(account, "battery-mode")["remedy"] == (
        "it may need a permission to configure or control plants as well; "
        "or go without it: interfaces: {battery-mode: {enabled: false}}"
    )


def test_an_older_server_does_not_have_settings(tmp_path, capsys):
    with world(tmp_path) as home:
        home.configure(interfaces=LISTS_ALONE | {"battery-mode": {"enabled": True}})
        _, account, _ = checked(home, capsys)

    assert trial(account, "battery-mode")["remedy"] == (
        "this server does not have it; go without it: interfaces: {battery-mode: {enabled: false}}"
    )


def test_a_word_without_a_name_is_told_of(tmp_path, capsys):
    with world(tmp_path, edition="26") as home:
        home.configure(interfaces=LISTS_ALONE | {"battery-mode": {"enabled": True}})
        novel = {"operationMode": "novel"}
        home.system.faults.add("data_as", interface="battery-mode", value=novel)
        _, account, _ = checked(home, capsys)

    words = [each["words"] for each in account["findings"]]
    assert "fusionsolar_plant_battery_mode had words that no table names" in words


HISTORY = {"getDevRealKpi": {"enabled": False}, "device/history": {"enabled": True}}


def test_devices_without_a_dn_are_named_where_they_are_asked_by_it(tmp_path, capsys):
    with world(tmp_path, edition="26", limits="v25") as home:
        home.configure(interfaces=HISTORY)
        handle = home.system.handle

        def without_dns(method, path, headers, body):
            answer = handle(method, path, headers, body)
            return replace(answer, body=answer.body.replace(b'"devDn"', b'"was"'))

        home.system.handle = without_dns
        _, account, _ = checked(home, capsys)

    assert trial(account, "device/history")["words"] == (
        "the list gives devices no DN, by which they are asked"
    )
    assert [each["words"] for each in account["findings"] if "DN" in each["words"]] == [
        "device/history asks by a DN, and the list gives none to Battery, Inverter, Meter"
    ]


def test_a_history_is_tried_like_real_time_values(tmp_path, capsys):
    with world(tmp_path, edition="26", limits="v25") as home:
        home.configure(interfaces=HISTORY, account={"limits": "v25"})
        status, account, _ = checked(home, capsys)
        assert home.refused() == 0

    asked = [each for each in account["interfaces"] if each["interface"] == "device/history"]
    later = "the next call of device/history is allowed in 202 s"
    assert [each["words"] for each in asked] == ["values of 1 of 1", later, later]
    assert status == 0


YOUNG = "getStationList is refused and stations answers: created after June 2022"
NEWER = "its server seems to be of 25.x or 26.x, since"
WHICH = "v25, unless the account is older than July 2022"
UNKNOWN = "nothing was refused, so it may be classic; safe suits every account"
PAGES = "getStationList is only answered page by page"


@pytest.mark.parametrize(
    ("edition", "refused", "limits"),
    [
        ("26", (), (None, f"{UNKNOWN}; {NEWER} {PAGES} and battery-mode answers: {WHICH}")),
        ("26", ("getStationList",), ("v25", f"{YOUNG}; {NEWER} battery-mode answers")),
        ("2022", ("getStationList",), ("v6", YOUNG)),
    ],
)
def test_a_server_tells_of_its_edition(tmp_path, capsys, edition, refused, limits):
    user = User(PASSWORD, refused=frozenset(refused))
    with world(tmp_path, users={"api": user}, edition=edition, limits="safe") as home:
        home.configure(interfaces={"battery-mode": {"enabled": edition == "26"}})
        _, account, _ = checked(home, capsys)

    assert (account["limits"]["known"], account["limits"]["evidence"]) == limits


@pytest.mark.parametrize(
    ("edition", "limits", "source"),
    [
        ("2020", "classic", "getDevFiveMinutes"),
        ("2022", "v6", "getDevHistoryKpi"),
        ("26", "v25", "device/history"),
        ("26", "safe", "getDevRealKpi"),
    ],
)
def test_on_each_edition_it_walks_all_that_may_be_called(tmp_path, capsys, edition, limits, source):
    interfaces = {
        "getKpiStationHour": {"enabled": True},
        **{f"getDevKpi{period}": {"enabled": True} for period in ("Day", "Month", "Year")},
        "getDevUpgradeInfo": {"enabled": True},
        "battery-mode": {"enabled": edition == "26"},
        "active-power-control-mode": {"enabled": edition == "26"},
        "getDevRealKpi": {"enabled": source == "getDevRealKpi"},
        source: {"enabled": True},
    }
    with world(tmp_path, edition=edition, limits=limits) as home:
        home.configure(account={"limits": limits}, interfaces=interfaces)
        status, account, _ = checked(home, capsys)
        assert home.refused() == 0

    assert status == 0
    assert {each["outcome"] for each in account["interfaces"]} <= {"permitted", "not tried"}
