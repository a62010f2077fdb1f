"""`check` on the servers of each edition: which limits hold, and what newer ones have."""

from dataclasses import replace

import pytest
from commands.world import LISTS_ALONE, PASSWORD, run_check, trial, world

from exporter.simulator.http.sessions import User

pytestmark = pytest.mark.slow


def test_an_account_with_the_paged_list_lives_under_the_newer_limits(tmp_path, capsys):
    user = User(PASSWORD, refused=frozenset({"getStationList"}))
    with world(tmp_path, users={"api": user}, limits="v6") as home:
        status, account, _ = run_check(home, capsys)
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
        status, account, _ = run_check(home, capsys)

    assert status == 1
    assert account["limits"]["known"] == "v6"


def test_a_refusal_under_an_allowance_of_ones_own_speaks_against_that(home, capsys):
    home.configure(interfaces={"getAlarmList": {"allowance": {"calls": 9, "per": "1m"}}})
    home.system.faults.add("fail_code", interface="getAlarmList", value=407)

    _, account, _ = run_check(home, capsys)

    assert "the configured allowance is too large" in account["limits"]["evidence"]


def test_a_refusal_within_all_limits_speaks_of_another_program(home, capsys):
    home.system.faults.add("fail_code", interface="getAlarmList", value=407)

    _, account, _ = run_check(home, capsys)

    assert account["limits"]["known"] is None
    assert "another program uses the account" in account["limits"]["evidence"]


def test_more_types_than_the_window_has_minutes_would_be_fresher_with_the_newer_limits(
    tmp_path, capsys
):
    with world(tmp_path, plants=3) as home:
        _, account, _ = run_check(home, capsys)

    (realtime,) = [each for each in account["plan"] if each["interface"] == "getDevRealKpi"]
    assert (realtime["calls"], realtime["freshness"]) == (9, 540.0)
    assert realtime["fresher"] == [
        "limits: v6 (5 min), if created after June 2022",
        "one of device_types less (8 min)",
    ]


def test_settings_that_a_plant_does_not_tell_are_no_refusal(tmp_path, capsys):
    with world(tmp_path, plants=3, edition="26") as home:
        wanted = {name: {"enabled": True} for name in ("active-power-control-mode", "battery-mode")}
        home.configure(interfaces=LISTS_ALONE | wanted)
        home.system.faults.add("fail_code", interface="battery-mode", value=20609)
        status, account, _ = run_check(home, capsys)

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
        _, account, _ = run_check(home, capsys)

    assert trial(account, "battery-mode")["reason"] == "401"
    assert trial(account, "battery-mode")["remedy"] == (
        "it may need a permission to configure or control plants as well; "
        "or go without it: interfaces: {battery-mode: {enabled: false}}"
    )


def test_an_older_server_does_not_have_settings(tmp_path, capsys):
    with world(tmp_path) as home:
        home.configure(interfaces=LISTS_ALONE | {"battery-mode": {"enabled": True}})
        _, account, _ = run_check(home, capsys)

    assert trial(account, "battery-mode")["remedy"] == (
        "this server does not have it; go without it: interfaces: {battery-mode: {enabled: false}}"
    )


def test_a_word_without_a_name_is_told_of(tmp_path, capsys):
    with world(tmp_path, edition="26") as home:
        home.configure(interfaces=LISTS_ALONE | {"battery-mode": {"enabled": True}})
        novel = {"operationMode": "novel"}
        home.system.faults.add("data_as", interface="battery-mode", value=novel)
        _, account, _ = run_check(home, capsys)

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
        _, account, _ = run_check(home, capsys)

    assert trial(account, "device/history")["words"] == (
        "the list gives devices no DN, by which they are asked"
    )
    assert [each["words"] for each in account["findings"] if "DN" in each["words"]] == [
        "device/history asks by a DN, and the list gives none to Battery, Inverter, Meter"
    ]


def test_a_history_is_tried_like_real_time_values(tmp_path, capsys):
    with world(tmp_path, edition="26", limits="v25") as home:
        home.configure(interfaces=HISTORY, account={"limits": "v25"})
        status, account, _ = run_check(home, capsys)
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
        _, account, _ = run_check(home, capsys)

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
        status, account, _ = run_check(home, capsys)
        assert home.refused() == 0

    assert status == 0
    assert {each["outcome"] for each in account["interfaces"]} <= {"permitted", "not tried"}
