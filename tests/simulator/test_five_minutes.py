"""5-minute data: a day of each device, up to a few minutes ago."""

from datetime import UTC, datetime

import pytest
from simulator.kpi_keys import COUNTS, KEYS

from exporter.simulator.world.fleet import build
from exporter.simulator.world.kpis import DEVICE_KPIS

FLEET = build()
HOUSE, _, _, _, STORE, _ = FLEET.plants.values()
MINUTE, DAY = 60_000, 86_400_000
# Midnight at HOUSE (summer time) and at STORE, where offsets are half hours.
MIDNIGHT = round(datetime(2026, 6, 22, 22, tzinfo=UTC).timestamp() * 1000)
STORE_MIDNIGHT = round(datetime(2026, 6, 22, 14, 30, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def ask(client_of):
    def rows(plant, type_id, now, asked=None, **options):
        one = client_of(FLEET, pause=0.0, now=now / 1000, **options)
        ids = ",".join(str(device.id) for device in plant.devices if device.type_id == type_id)
        time = now if asked is None else asked
        parameters = {"devIds": ids, "devTypeId": str(type_id), "collectTime": time}
        return one.ask("getDevFiveMinutes", **parameters)["data"]

    return rows


def times(rows):
    return sorted({row["collectTime"] for row in rows})


@pytest.mark.parametrize(
    ("minutes", "newest"), [(5, 0), (9.99, 0), (10, 5), (725, 720), (724.99, 715)]
)
def test_the_newest_row_is_five_to_ten_minutes_old(ask, minutes, newest):
    now = MIDNIGHT + round(minutes * MINUTE)
    starts = times(ask(HOUSE, 47, now))
    assert starts == [MIDNIGHT + minute * MINUTE for minute in range(0, newest + 1, 5)]


def test_a_day_that_has_just_begun_has_no_rows(ask):
    assert ask(HOUSE, 47, MIDNIGHT + 4 * MINUTE) == []


@pytest.mark.parametrize(("plant", "midnight"), [(HOUSE, MIDNIGHT), (STORE, STORE_MIDNIGHT)])
def test_a_past_day_has_288_rows_by_the_plants_own_clock(ask, plant, midnight):
    type_id = 47 if plant is HOUSE else 17
    starts = times(ask(plant, type_id, midnight + 3 * DAY, asked=midnight + DAY - 1))
    assert starts == [midnight + step * 5 * MINUTE for step in range(288)]


def test_days_to_come_and_before_the_plant_have_no_rows(ask):
    assert ask(HOUSE, 47, MIDNIGHT, asked=MIDNIGHT + 7 * DAY) == []
    assert ask(HOUSE, 47, MIDNIGHT, asked=0) == []


@pytest.mark.parametrize("type_id", sorted(DEVICE_KPIS))
def test_rows_have_the_keys_of_the_5_minute_lists(client, type_id):
    expected = KEYS[type_id] - {"run_state"}
    if type_id == 1:
        expected -= {"mppt_4_cap"}
    if type_id == 15:
        expected = expected - {"temprature"} | {"temperature"}
    ids = ",".join(client.ids(type_id))
    asked = {"devIds": ids, "devTypeId": str(type_id), "collectTime": MIDNIGHT + 10 * MINUTE}
    rows = client.ask("getDevFiveMinutes", **asked)["data"]
    filled = [row["dataItemMap"] for row in rows if row["dataItemMap"] is not None]
    assert filled
    assert all(values.keys() == expected for values in filled)
    assert len(expected) == COUNTS[type_id] - {1: 2, 17: 0}.get(type_id, 1)


def test_a_row_is_what_the_device_reported_then(ask, client_of):
    noon = MIDNIGHT + 12 * 60 * MINUTE
    row = ask(HOUSE, 1, noon + 5 * MINUTE)[-1]
    then = client_of(FLEET, pause=0.0, now=noon / 1000).readings(1, [str(row["devId"])])
    real = then[str(row["devId"])]
    assert row["collectTime"] == noon
    assert row["dataItemMap"].items() <= real.items()
    assert row["dataItemMap"]["active_power"] > 0


def test_by_night_some_rows_of_inverters_have_no_map(ask):
    rows = ask(HOUSE, 1, MIDNIGHT + 3 * DAY, asked=MIDNIGHT)
    empty = [row["collectTime"] for row in rows if row["dataItemMap"] is None]
    dark = [
        row["collectTime"]
        for row in rows
        if row["dataItemMap"] is None or row["dataItemMap"]["active_power"] == 0
    ]
    assert 0 < len(empty) < len(dark) < 288


def test_rows_may_come_in_no_order(ask):
    now = MIDNIGHT + 12 * 60 * MINUTE
    shuffled, ordered = ask(HOUSE, 47, now, shuffled=True), ask(HOUSE, 47, now)
    assert times(shuffled) == times(ordered)
    assert shuffled != ordered
