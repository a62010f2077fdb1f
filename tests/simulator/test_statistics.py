"""Statistics: a row for each hour, day, month and year by the plant's own clock."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from exporter.simulator.world.fleet import Fleet, build
from exporter.simulator.world.fleet import SimPlant as Plant

FLEET = build()
HOUSE, BODEGA, PARK, CASA, STORE, KISARAZU = FLEET.plants.values()
SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000


def at(plant, *civil):
    """Epoch ms of a civil time at a plant."""
    return round(datetime(*civil, tzinfo=ZoneInfo(plant.zone)).timestamp() * 1000)


@pytest.fixture
def rows(client_of):
    """The rows of one plant, by their start."""

    def ask(plant, kind, now, asked=None, **options):
        one = client_of(FLEET, pause=0.0, minute=1e-9, now=now / 1000, **options)
        name = f"getKpiStation{kind}"
        data = one.ask(name, stationCodes=plant.code, collectTime=asked or now)["data"]
        assert {row["stationCode"] for row in data} <= {plant.code}
        return {row["collectTime"]: row["dataItemMap"] for row in data}

    return ask


@pytest.mark.parametrize("plant", [HOUSE, PARK, CASA, STORE, KISARAZU], ids=lambda p: p.zone)
@pytest.mark.parametrize(
    ("kind", "starts"),
    [
        ("Hour", [(2025, 11, 12, hour) for hour in range(16)]),
        ("Day", [(2025, 11, day) for day in range(1, 13)]),
        ("Month", [(2025, month, 1) for month in range(1, 12)]),
    ],
)
def test_rows_start_by_the_plants_own_clock_and_end_with_the_running_one(rows, plant, kind, starts):
    now = at(plant, 2025, 11, 12, 15, 30)
    assert list(rows(plant, kind, now)) == [at(plant, *start) for start in starts]


@pytest.mark.parametrize("plant", [HOUSE, STORE], ids=lambda p: p.zone)
def test_there_is_a_row_for_each_year_from_the_first_to_the_one_asked_about(rows, plant):
    first = (datetime(2020, 1, 1) + timedelta(days=plant.commissioned)).year  # noqa: DTZ001  # a date only
    now = at(plant, 2026, 6, 23)
    years = [at(plant, year, 1, 1) for year in range(first, 2027)]
    assert list(rows(plant, "Year", now)) == years
    assert list(rows(plant, "Year", now, asked=years[-1] - 1)) == years[:-1]
    assert list(rows(plant, "Year", now, asked=at(plant, 2040, 1, 1))) == years


def test_the_zone_decides_which_day_a_time_belongs_to(rows):
    new_year = at(STORE, 2026, 1, 1)  # 13:30 UTC, the last day of December elsewhere
    assert list(rows(STORE, "Day", new_year)) == [new_year]
    assert len(rows(HOUSE, "Day", new_year)) == 31
    assert new_year % HOUR == HOUR // 2


@pytest.mark.parametrize(
    ("plant", "day", "hours"),
    [
        (HOUSE, (2026, 3, 29), 23),
        (HOUSE, (2026, 10, 25), 25),
        (STORE, (2026, 4, 5), 25),
        (STORE, (2025, 10, 5), 23),
        (KISARAZU, (2026, 3, 29), 24),
    ],
)
def test_a_day_has_as_many_hours_as_its_clock_makes_it(rows, plant, day, hours):
    starts = list(rows(plant, "Hour", at(plant, *day) + 2 * DAY, asked=at(plant, *day)))
    assert starts == [at(plant, *day) + number * HOUR for number in range(hours)]
    last = starts[-1] + HOUR
    assert last == at(plant, *day[:2], day[2] + 1)


def test_a_time_may_be_sent_as_text(rows):
    now = at(HOUSE, 2026, 6, 23, 12)
    assert rows(HOUSE, "Day", now, asked=str(now)) == rows(HOUSE, "Day", now)


PLANT_KEYS = {
    "installed_capacity", "radiation_intensity", "theory_power", "performance_ratio",
    "inverter_power", "ongrid_power", "use_power", "power_profit", "perpower_ratio",
    "reduction_total_co2", "reduction_total_coal", "reduction_total_tree",
}  # fmt: skip
KEYS = {
    "Hour": {"radiation_intensity", "theory_power", "inverter_power", "ongrid_power",
             "power_profit"},
    "Day": PLANT_KEYS, "Month": PLANT_KEYS, "Year": PLANT_KEYS,
}  # fmt: skip


@pytest.mark.parametrize("kind", KEYS)
def test_rows_have_the_keys_of_the_reference(rows, kind):
    now = at(BODEGA, 2026, 6, 23, 12)
    for values in rows(BODEGA, kind, now).values():
        assert values.keys() == KEYS[kind]
        assert None not in values.values()


def test_radiation_is_known_where_a_weather_station_stands(rows):
    values = rows(HOUSE, "Day", at(HOUSE, 2026, 6, 23, 12)).values()
    unknown = ("radiation_intensity", "theory_power", "performance_ratio")
    assert {day[key] for day in values for key in unknown} == {None}


def energies(rows):
    return [row["inverter_power"] for row in rows.values()]


@pytest.mark.parametrize("plant", [BODEGA, STORE], ids=lambda p: p.zone)
def test_hours_add_up_to_days_days_to_months_and_months_to_years(rows, plant):
    now = at(plant, 2026, 5, 1) - 1
    hours, days = rows(plant, "Hour", now), rows(plant, "Day", now)
    months, years = rows(plant, "Month", now), rows(plant, "Year", now)
    for key in KEYS["Hour"] & {key for key, value in next(iter(days.values())).items() if value}:
        for parts, whole in pairwise((hours, days, months, years)):
            summed = sum(row[key] for row in parts.values())
            assert summed == pytest.approx(list(whole.values())[-1][key], rel=1e-3)
    assert sum(energies(hours)) > 0


def test_statistics_agree_with_the_real_time_values(client_of):
    now = at(CASA, 2026, 6, 23, 18)
    one = client_of(FLEET, pause=0.0, minute=1e-9, now=now / 1000)
    asked = {"stationCodes": CASA.code, "collectTime": now}
    realtime = one.ask("getStationRealKpi", stationCodes=CASA.code)["data"][0]["dataItemMap"]
    days, months, years = (
        one.ask(f"getKpiStation{kind}", **asked)["data"] for kind in ("Day", "Month", "Year")
    )
    assert days[-1]["dataItemMap"]["inverter_power"] == realtime["day_power"] > 0
    assert days[-1]["dataItemMap"]["power_profit"] == realtime["day_income"]
    assert months[-1]["dataItemMap"]["inverter_power"] == realtime["month_power"]
    lifetime = sum(row["dataItemMap"]["inverter_power"] for row in years)
    assert lifetime == pytest.approx(realtime["total_power"], abs=0.01)


def test_energy_is_neither_made_nor_lost(rows):
    # The park has no battery and a steady load: 0.3 % of its capacity.
    *days, running = rows(PARK, "Day", at(PARK, 2026, 6, 23, 18)).values()
    assert [day["use_power"] for day in days] == 22 * [pytest.approx(0.003 * 24 * PARK.capacity_kw)]
    assert running["use_power"] == pytest.approx(0.003 * 18 * PARK.capacity_kw)
    assert all(0 < day["ongrid_power"] < day["inverter_power"] for day in (*days, running))


def test_the_running_row_grows_and_the_others_stay(rows):
    noon, evening = at(HOUSE, 2026, 6, 23, 12), at(HOUSE, 2026, 6, 23, 18)
    before, after = energies(rows(HOUSE, "Day", noon)), energies(rows(HOUSE, "Day", evening))
    assert before[:-1] == after[:-1]
    assert 0 < before[-1] < after[-1]


def test_before_its_commissioning_a_plant_has_no_rows(client_of):
    young = Plant("NE=1", "Young", 5.0, 49.0, 11.0, commissioned=100, zone="Europe/Berlin")
    one = client_of(Fleet([young]), pause=0.001, minute=1e-9, now=at(young, 2020, 4, 12, 12) / 1000)

    def starts(kind):
        asked = {"stationCodes": "NE=1", "collectTime": at(young, 2020, 4, 12)}
        return [row["collectTime"] for row in one.ask(f"getKpiStation{kind}", **asked)["data"]]

    # Day 100 after the first of January 2020 is the tenth of April; by the sun its midnight is
    # that of winter time.
    assert starts("Day") == [at(young, 2020, 4, day) for day in (10, 11, 12)]
    assert starts("Month") == [at(young, 2020, 4, 1)]
    assert starts("Year") == [at(young, 2020, 1, 1)]
    gone = one.ask("getKpiStationDay", stationCodes="NE=1", collectTime=at(young, 2020, 3, 1))
    assert gone["data"] == []


@pytest.mark.parametrize("kind", ["Hour", "Day", "Month", "Year"])
def test_a_row_may_come_late(rows, kind):
    new_year = at(HOUSE, 2026, 1, 1)
    lag = {"lag": 5400.0}
    early, late = new_year + 5400 * SECOND - 1, new_year + 5400 * SECOND
    assert new_year not in rows(HOUSE, kind, early, **lag)
    assert new_year in rows(HOUSE, kind, late, **lag)


def test_unfilled_periods_may_come_without_a_map(rows):
    now = at(HOUSE, 2026, 6, 23, 12)
    days = rows(HOUSE, "Day", now, unfilled=True)
    assert list(days) == [at(HOUSE, 2026, 6, day) for day in range(1, 31)]
    assert [day for day, values in enumerate(days.values(), 1) if values is None] == [
        *range(24, 31)
    ]
    night = rows(HOUSE, "Day", at(HOUSE, 2026, 6, 23, 1), unfilled=True, lag=7200.0)
    assert night[at(HOUSE, 2026, 6, 23)] is None


def test_numbers_may_be_text(client_of):
    talker = client_of(FLEET, kpis_as_text=True)
    asked = {"stationCodes": HOUSE.code, "collectTime": at(HOUSE, 2026, 6, 23)}
    row = talker.ask("getKpiStationDay", **asked)["data"][0]
    assert row["collectTime"] == str(at(HOUSE, 2026, 6, 1))
    assert row["dataItemMap"]["installed_capacity"] == "9.9"
    assert row["dataItemMap"]["radiation_intensity"] is None


def test_rows_may_come_in_no_order(rows):
    now = at(HOUSE, 2026, 6, 23, 12)
    shuffled, ordered = rows(HOUSE, "Day", now, shuffled=True), rows(HOUSE, "Day", now)
    assert shuffled == ordered
    assert list(shuffled) != list(ordered)


def test_several_plants_each_have_their_own_calendar(client):
    asked = {"stationCodes": client.plants(), "collectTime": at(HOUSE, 2026, 6, 10)}
    data = client.ask("getKpiStationDay", **asked)["data"]
    firsts = {}
    for row in data:
        firsts.setdefault(row["stationCode"], row["collectTime"])
    assert firsts == {code: at(plant, 2026, 6, 1) for code, plant in FLEET.plants.items()}


DEVICE_KEYS = {
    "Day": {"installed_capacity", "product_power", "perpower_ratio", "yield_deviation",
            "total_aop", "aoc_ratio"},
    "Month": {"installed_capacity", "product_power", "perpower_ratio"},
    "Year": {"installed_capacity", "product_power", "perpower_ratio"},
}  # fmt: skip
BATTERY_KEYS = {"charge_cap", "discharge_cap", "charge_time", "discharge_time"}


@pytest.mark.parametrize("type_id", [1, 14, 38, 39])
@pytest.mark.parametrize("kind", DEVICE_KEYS)
def test_devices_have_rows_with_the_keys_of_the_reference(client, kind, type_id):
    ids, now = client.ids(type_id), round(client.clock.now * 1000)
    asked = {"devIds": ",".join(ids), "devTypeId": str(type_id), "collectTime": str(now)}
    data = client.ask(f"getDevKpi{kind}", **asked)["data"]
    assert {str(row["devId"]) for row in data} == set(ids)
    expected = BATTERY_KEYS if type_id == 39 else DEVICE_KEYS[kind]
    assert all(row["dataItemMap"].keys() == expected for row in data)
    serials = {device.id: device.esn for device in client.system.fleet.devices.values()}
    assert all(row["sn"] == serials[row["devId"]] for row in data)


def test_a_plants_energy_is_that_of_its_inverters(client_of):
    now = at(BODEGA, 2026, 6, 23, 16)
    one = client_of(FLEET, pause=0.0, minute=1e-9, now=now / 1000)
    ids = ",".join(str(device.id) for device in BODEGA.devices if device.type_id == 1)
    devices = one.ask("getDevKpiDay", devIds=ids, devTypeId="1", collectTime=now)["data"]
    plant = one.ask("getKpiStationDay", stationCodes=BODEGA.code, collectTime=now)["data"]
    for day in plant:
        of_day = [row for row in devices if row["collectTime"] == day["collectTime"]]
        assert len(of_day) == 4
        summed = sum(row["dataItemMap"]["product_power"] for row in of_day)
        assert summed == pytest.approx(day["dataItemMap"]["inverter_power"], abs=0.01)


def test_a_batterys_day_agrees_with_its_real_time_values(client_of):
    now = at(HOUSE, 2026, 6, 23, 22)
    one = client_of(FLEET, pause=0.0, minute=1e-9, now=now / 1000)
    [battery] = [str(device.id) for device in HOUSE.devices if device.type_id == 39]
    rows = one.ask("getDevKpiDay", devIds=battery, devTypeId="39", collectTime=now)["data"]
    realtime = one.readings(39, [battery])[battery]
    assert rows[-1]["dataItemMap"]["charge_cap"] == realtime["charge_cap"] > 1
    assert rows[-1]["dataItemMap"]["discharge_cap"] == realtime["discharge_cap"] > 1
    assert 0 < rows[-1]["dataItemMap"]["charge_time"] < 24
