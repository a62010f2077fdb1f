"""The command: what it asks, says and writes, alone and beside a daemon."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from commands.world import NOON, PASSWORD, world
from history.commanding import files, history
from history.receiver import decoded, served
from history.shown import in_files

from exporter.history.job import Job
from exporter.northbound.interfaces import DAY, HOUR, MINUTE
from exporter.simulator.endpoints.five_minutes import five_minutes
from exporter.simulator.endpoints.statistics import plant_statistics
from exporter.simulator.http.answers import Call

pytestmark = pytest.mark.slow

YIELD = "fusionsolar_plant_period_inverter_energy_joules"
START = "fusionsolar_plant_period_start_timestamp_seconds"
PLANT = "NE=33554432"
INVERTER = 1


def samples_of(directory, metric, period):
    """The samples of a plant's statistic, by time."""
    labels = f'{{account="home",period="{period}",plant_code="{PLANT}",window="previous"}}'
    return in_files(directory)[metric + labels]


def test_a_dry_run_says_what_it_takes_and_asks_for_no_past(home, capsys):
    history(home, "--dry-run", "--from", "2023-05-01")
    assert capsys.readouterr().out == (
        "Interface           Calls  Allowed    Takes about\n"
        "getKpiStationDay    26     25 in 1 d  1 d\n"
        "getKpiStationMonth  3      25 in 1 d  2 min\n"
        "getKpiStationYear   1      25 in 1 d  0 s\n"
        "30 calls, about 1 d\n"
    )
    assert home.all_calls() == {"login": 1, "getStationList": 1, "getDevList": 1}


def test_it_goes_back_as_far_as_the_yearly_statistics_and_says_so(home, capsys):
    history(home, *files(home))
    output = capsys.readouterr().err.splitlines()
    # Commissioned in July 2019.
    calls = home.all_calls()
    assert {name: calls[name] for name in calls if "Kpi" in name} == {
        "getKpiStationDay": 78,
        "getKpiStationMonth": 7,
        "getKpiStationYear": 1,
    }
    assert output[-1].startswith("85 calls made, ")
    days = samples_of(home.directory / "om", START, "day")
    # From the end of the first day on each three hours, but for one in which that month's last day
    # may have ended or not.
    assert {later - time for time, later in zip(sorted(days), sorted(days)[1:], strict=False)} <= {
        3 * HOUR,
        6 * HOUR,
    }
    assert max(days) <= NOON + 4 * DAY


def test_a_second_run_asks_for_nothing_and_writes_nothing(home, capsys):
    flags = ("--from", "2025-01-01", *files(home))
    history(home, *flags)
    calls, written = home.all_calls(), in_files(home.directory / "om")
    capsys.readouterr()
    history(home, *flags)
    assert home.all_calls() == calls
    assert capsys.readouterr().err.splitlines()[-1].startswith("0 calls made, 0 samples written")
    assert in_files(home.directory / "om") == written


def test_a_day_later_only_what_lay_ahead_is_asked_for_and_written(home, capsys):
    flags = ("--from", "2025-01-01", "--to", "2025-06-26", *files(home))
    history(home, *flags)
    for calls in (3, 0, 0):
        home.clock.pass_by(2 * DAY)
        capsys.readouterr()
        history(home, *flags)
        output = capsys.readouterr().err.splitlines()[-1]
        assert output.startswith(f"{calls} calls made, ")
        assert (" 0 samples" in output) == (calls == 0)
    history(home, *flags[:4], "--openmetrics", home.directory / "other")
    assert in_files(home.directory / "other") == in_files(home.directory / "om")


def test_another_target_costs_no_call(home):
    history(home, "--from", "2025-01-01", *files(home))
    calls = home.all_calls()
    history(home, "--from", "2025-01-01", "--openmetrics", home.directory / "other")
    assert home.all_calls() == calls
    assert in_files(home.directory / "other") == in_files(home.directory / "om")


def test_an_earlier_start_asks_only_for_what_lies_before(home):
    history(home, "--from", "2025-03-01", *files(home))
    before = home.calls("getKpiStationDay")
    history(home, "--from", "2025-01-01", *files(home))
    assert home.calls("getKpiStationDay") - before == 2
    whole = samples_of(home.directory / "om", YIELD, "day")
    history(home, "--from", "2025-01-01", "--openmetrics", home.directory / "other")
    assert samples_of(home.directory / "other", YIELD, "day") == whole


def test_no_sample_lies_outside_of_what_was_asked_for(home):
    history(home, "--from", "2025-03-10T06:00", "--to", "2025-04-03T09:30", *files(home))
    times = {time for each in in_files(home.directory / "om").values() for time in each}
    assert (min(times), max(times)) == (1_741_586_400.0, 1_743_670_800.0)


def test_labels_are_added_to_every_series(home):
    home.configure(account={"limits": "v6"}, history={"labels": {"job": "pv", "instance": "x"}})
    history(home, "--from", "2025-06-01", "--label", "instance=exporter:10052", *files(home))
    found = in_files(home.directory / "om")
    assert found
    assert all('instance="exporter:10052",job="pv"' in each for each in found)


ALARM = (
    'fusionsolar_alarm_active{account="home",alarm_id="2064",alarm_name="Device Fault",'
    'alarm_type="exception",device_name="%s",plant_code="NE=33554432",serial_number="%s",'
    'severity="critical"}'
)


def test_alarms_are_active_from_their_raising_until_their_recovery(tmp_path):
    options = {"limits": "classic", "alarms_without_status": True}
    with world(tmp_path, **options) as home:
        device = next(iter(home.system.fleet.devices.values()))
        over = home.system.raise_alarm(device.id, alarm_id=2064, raised=NOON - 40 * DAY + 61)
        home.system.alarms.step(over, NOON - 40 * DAY + 1000, 6)
        active = home.system.raise_alarm(device.id, alarm_id=2064, raised=NOON - 3 * HOUR)
        assert over != active
        home.configure(account={"limits": "classic"})
        history(home, "--sources", "getAlarmList", "--from", "2020-01-01", *files(home))
        found = in_files(home.directory / "om")
        # A year of weeks, and the one that is not over.
        assert home.calls("getAlarmList") == 53
        history(home, "--sources", "getAlarmList", "--from", "2020-01-01", *files(home))
        assert home.calls("getAlarmList") == 53
    begin = NOON - 40 * DAY
    assert found == {
        ALARM % (device.name, device.esn): dict.fromkeys(
            (begin + 61, begin + 300, begin + 600, begin + 900), 1.0
        )
    }


def test_who_ends_it_before_its_first_answer_is_told_nothing(home, capsys, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Job, "step", interrupted)
    history(home, *files(home), status=130)
    assert capsys.readouterr().err == ""


def server_rows(home, endpoint, **asked):
    """The rows of local days from BEGIN to END, by their begin."""
    view, found = home.system.view(Call("api", "", time=home.clock.time())), {}
    begin, end = BEGIN.timestamp(), END.timestamp()
    for day in range(-1, 4):
        rows = endpoint(view, {**asked, "collectTime": int((begin + day * DAY) * 1e3)})
        found |= {row["collectTime"] / 1e3: row["dataItemMap"] for row in rows}
    return {time: values for time, values in found.items() if values and begin <= time < end}


EASTERN_AND_WESTERN = pytest.mark.parametrize(
    "zone", ["Pacific/Kiritimati", "Australia/Adelaide", "Europe/Berlin", "Pacific/Pago_Pago"]
)


@contextmanager
def in_zone(directory, zone):
    with world(directory, limits="classic") as home:
        (plant,) = home.system.fleet.plants.values()
        home.system.fleet.add_plant(replace(plant, zone=zone))
        home.configure(account={"limits": "classic"})
        yield home


# At 14:00 UTC a day has begun in some zones that has not in others.
BEGIN, END = datetime(2025, 6, 10, tzinfo=UTC), datetime(2025, 6, 12, 14, tzinfo=UTC)
SPAN = ("--from", BEGIN.isoformat(), "--to", END.isoformat())


@EASTERN_AND_WESTERN
def test_days_of_all_zones_have_all_their_5_minute_values(tmp_path, zone):
    with in_zone(tmp_path, zone) as home:
        inverter = home.device(INVERTER)
        flags = ("--sources", "getDevFiveMinutes", "--devices", str(inverter.id), *SPAN)
        history(home, *flags, *files(home))
        found = in_files(home.directory / "om")
        rows = server_rows(home, five_minutes, devIds=str(inverter.id), devTypeId="1")
    name = "fusionsolar_device_last_reading_timestamp_seconds"
    (times,) = (each for series, each in found.items() if series.startswith(name))
    begin = max(BEGIN.timestamp(), min(times))
    assert [time for time in sorted(times) if time >= begin] == [
        time
        for time, values in sorted(rows.items())
        if time >= begin and any(each is not None for each in values.values())
    ]
    assert begin < BEGIN.timestamp() + 11 * HOUR


@EASTERN_AND_WESTERN
def test_days_of_all_zones_have_all_their_hours(tmp_path, zone):
    with in_zone(tmp_path, zone) as home:
        history(home, "--sources", "getKpiStationHour", *SPAN, *files(home))
        begins = samples_of(home.directory / "om", START, "hour")
        rows = server_rows(home, plant_statistics("Hour"), stationCodes=PLANT)
    # Each hour is shown for the hour after it; for all of that, if it is not the last known.
    first = max(BEGIN.timestamp(), min(begins.values()))
    shown = {time: at for time, at in begins.items() if at >= first and time - at == HOUR}
    assert shown == {at + HOUR: at for at in rows if first <= at < END.timestamp() - HOUR}
    assert first < BEGIN.timestamp() + 11 * HOUR


def test_the_past_has_the_labels_of_the_accounts_target_but_those_that_are_empty(home):
    home.configure(
        account={"limits": "v6", "labels": {"customer": "4711", "region": "west"}},
        history={"labels": {"customer": "", "job": "fusionsolar"}},
    )
    with served() as receiver:
        history(home, "--from", "2025-06-01", "--remote-write", receiver.url)
    sent = [labels for _, body in receiver.requests for labels, _ in decoded(body)]
    assert {(each.get("region"), each.get("customer"), each["job"]) for each in sent} == {
        ("west", None, "fusionsolar")
    }


def test_a_target_is_given_only_what_is_chosen(tmp_path):
    with world(tmp_path, plants=2, limits="classic") as home:
        home.configure(account={"limits": "classic"})
        flags = ("--from", "2025-05-01", "--sources")
        history(home, *flags, "getKpiStationDay,getKpiStationMonth,getDevKpiDay", *files(home))
        calls = home.all_calls()
        other = ("--openmetrics", home.directory / "other")
        history(home, *flags, "getKpiStationMonth", "--plants", PLANT, *other)
        inverter = home.device(INVERTER)
        history(home, *flags, "getDevKpiDay", "--devices", str(inverter.id), *other)
        assert home.all_calls() == calls
    everything, chosen = in_files(home.directory / "om"), in_files(home.directory / "other")
    assert chosen == {
        series: values
        for series, values in everything.items()
        if ('period="month"' in series and PLANT in series and "fusionsolar_plant" in series)
        or f'device_id="{inverter.id}"' in series
    }
    assert 0 < len(chosen) < len(everything)


def test_beside_a_daemon_it_ends_where_that_began_and_takes_what_is_left(home, capsys):
    home.configure(account={"limits": "v6"}, interfaces={"getDevRealKpi": {"enabled": False}})

    def calls_of(hours):
        before = home.all_calls()
        home.clock.pass_by(hours * HOUR)
        return {name: n - before.get(name, 0) for name, n in home.all_calls().items()}

    with home.daemon():
        home.clock.pass_by(2 * HOUR)
        alone = calls_of(24)
        before, began = home.all_calls(), home.clock.time()
        history(home, "--from", "2025-05-02", *files(home))
        took = home.clock.time() - began
        beside = {name: n - before.get(name, 0) for name, n in home.all_calls().items()}
    # One call of 25 a day is left of the daily statistics, of which two months are wanted.
    assert DAY <= took <= 2 * DAY
    for name in ("getStationRealKpi", "getAlarmList", "getKpiStationDay", "getKpiStationMonth"):
        extra = 2 if name == "getKpiStationDay" else 0
        least = 0.9 if extra else 0.95
        assert beside[name] - extra >= least * alone[name] * took / DAY, name
    times = {time for each in in_files(home.directory / "om").values() for time in each}
    assert max(times) <= NOON + MINUTE
    assert "about" in capsys.readouterr().err


def test_a_share_is_quicker(home):
    with home.daemon():
        home.clock.pass_by(2 * HOUR)
        began = home.clock.time()
        history(home, "--from", "2025-01-01", "--share", "0.4", *files(home))
        assert home.clock.time() - began < DAY


def test_what_a_replaced_device_gave_stays_and_the_new_one_has_a_past_of_its_own(tmp_path):
    with world(tmp_path, limits="classic") as home:
        home.configure(account={"limits": "classic"})
        flags = ("--sources", "getDevKpiDay", "--from", "2025-05-01", *files(home))
        history(home, *flags)
        before = in_files(home.directory / "om")
        old = home.device(INVERTER)
        home.system.fleet.remove_device(old.id)
        new = replace(old, id=old.id + 100_000, name="Inverter, new", esn="NEW")
        home.system.fleet.add_device(new)
        home.clock.pass_by(DAY)
        history(home, *flags)

    after = in_files(home.directory / "om")
    of_old = {series: values for series, values in before.items() if f'"{old.id}"' in series}
    assert of_old
    assert {series: after[series] for series in of_old} == of_old
    assert {
        series.replace(str(old.id), str(new.id)): min(values) for series, values in of_old.items()
    } == {series: min(values) for series, values in after.items() if f'"{new.id}"' in series}


def test_a_plant_that_moved_to_another_account_has_its_past_under_each(tmp_path):
    users = {"api": PASSWORD, "other": PASSWORD}
    with world(tmp_path, limits="classic", users=users) as home:
        flags = ("--sources", "getKpiStationMonth", "--from", "2024-01-01", "--to", "2025-06-01")
        home.configure(account={"limits": "classic"})
        history(home, *flags, *files(home))
        ours = in_files(home.directory / "om")
        home.configure(account={"limits": "classic", "name": "new", "username": "other"})
        history(home, *flags, "--openmetrics", home.directory / "new")

    theirs = in_files(home.directory / "new")
    assert ours
    assert theirs == {series.replace('"home"', '"new"'): ours[series] for series in ours}
