"""What a system of edition 26 reports besides, and that it adds up."""

import pytest
from simulator.kpi_keys import KEYS

from exporter.catalogue.index import lookup
from exporter.exposition.translate import Translator
from exporter.northbound import parsing
from exporter.simulator.world.fleet import build
from exporter.simulator.world.newer_kpis import NEWER_DEVICE_KPIS

NEWER = sorted({39, 47, *(number for number in NEWER_DEVICE_KPIS if number > 100)})
FLEET = build(plants=8, newer=True)


@pytest.fixture
def newer(client_of):
    return client_of(FLEET, edition="26", pause=60.0, minute=1e-9)


def read(client, type_id):
    ids = client.ids(type_id)
    data = client.ask("getDevRealKpi", devIds=",".join(ids), devTypeId=str(type_id))["data"]
    return parsing.device_readings(data, ids).records


def test_older_editions_have_neither_the_plants_nor_the_values(client_of):
    older = client_of(edition="2022", pause=60.0, minute=1e-9)
    assert {device.type_id for device in older.system.fleet.devices.values()} == set(KEYS) | {
        2,
        46,
        62,
    }
    for type_id in (39, 47):
        (values, *_) = older.readings(type_id).values()
        assert values.keys() == KEYS[type_id]
    day = older.ask(
        "getKpiStationDay", stationCodes=older.plants(), collectTime=int(older.clock.now * 1000)
    )["data"][0]["dataItemMap"]
    assert {"PVYield", "selfProvide", "chargeCap"}.isdisjoint(day)


@pytest.mark.parametrize("type_id", NEWER)
def test_every_value_of_a_newer_device_is_known_and_plausible(newer, type_id):
    readings = read(newer, type_id)
    assert readings
    for reading in readings:
        result = Translator({}).translate("getDevRealKpi", type_id, reading, newer.clock.now)
        assert (result.unknown_keys, result.rejected_values, dict(result.unknown_states)) == (
            [], [], {},
        )  # fmt: skip
        sent = reading.values.keys() | reading.texts.keys()
        assert sent - lookup("getDevRealKpi", type_id).keys() == set()


def test_an_emma_draws_what_its_counters_and_phases_say(newer):
    drawn = []
    for _ in range(8):
        newer.clock.now += 10_800.0
        for reading in read(newer, 23070):
            values = reading.values
            phases = sum(values[f"active_power_{phase}"] for phase in "abc")
            assert values["active_power"] == pytest.approx(phases, abs=0.002)
            drawn.append((values["active_power"], values["active_cap"]))
    assert min(power for power, _ in drawn) < 0.0 < max(power for power, _ in drawn)
    assert drawn[-1][1] > drawn[0][1]


def test_a_power_sensors_phases_add_up_in_watts(newer):
    for reading in read(newer, 47):
        phases = sum(reading.values[f"active_power_{phase}"] for phase in "abc")
        assert reading.values["active_power"] == pytest.approx(phases, abs=0.2)
        assert {"a_u", "a_i"}.isdisjoint(reading.values)


def test_a_site_uses_what_its_sun_mains_generator_and_racks_give(newer):
    drawn = []
    for _ in range(30):
        newer.clock.now += 8 * 86_400 + 10_800.0
        sun, mains, loads = (
            sum(reading.values[key] for reading in read(newer, type_id))
            for type_id, key in (
                (60092, "pv_input_power"), (60001, "active_power"), (60010, "active_power"),
            )
        )  # fmt: skip
        charge = sum(reading.values["charge_discharge_power"] for reading in read(newer, 60014))
        assert sun + mains - charge == pytest.approx(loads, abs=0.1)  # minutes apart
        drawn.append(mains > 0)
    assert set(drawn) == {False, True}


def test_modules_hold_what_a_battery_is_rated_for(newer):
    for reading in read(newer, 39):
        healths = [key for key in reading.values if key.endswith(".soh")]
        serials = [key for key in reading.texts if key.endswith(".sn")]
        assert len(healths) == len(serials) == max(1, round(reading.values["rated_capacity"] / 5))


@pytest.mark.parametrize("period", ["Day", "Month", "Year"])
def test_the_energies_of_a_plant_add_up_to_the_last_digit(newer, period):
    rows = newer.ask(
        f"getKpiStation{period}",
        stationCodes=newer.plants(),
        collectTime=int(newer.clock.now * 1000),
    )["data"]
    assert rows
    for row in rows:
        of = row["dataItemMap"]
        charged, discharged = of["chargeCap"] or 0.0, of["dischargeCap"] or 0.0
        assert (
            of["PVYield"]
            == of["inverter_power"]
            == round(of["selfUsePower"] + of["ongrid_power"], 3)
        )
        assert of["use_power"] == round(of["selfProvide"] + of["buyPower"], 3)
        if of["chargeCap"] is not None and of["selfProvide"]:
            assert of["selfProvide"] == round(of["selfUsePower"] - charged + discharged, 3)


def test_an_hour_lacks_what_is_reckoned_by_the_day(newer):
    rows = newer.ask(
        "getKpiStationHour", stationCodes=newer.plants(), collectTime=int(newer.clock.now * 1000)
    )["data"]
    for row in rows:
        assert row["dataItemMap"].keys() == lookup("getKpiStationHour", None).keys() - {
            "collectTime"
        }


def test_a_plant_tells_what_it_fed_in_and_consumed_today(newer):
    data = newer.ask("getStationRealKpi", stationCodes=newer.plants())["data"]
    for item in data:
        values = item["dataItemMap"]
        assert 0 <= values["day_on_grid_energy"] <= values["day_power"]
        assert values["day_use_energy"] > 0
