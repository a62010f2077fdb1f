"""The fleet: how large it is made, and how it changes while it runs."""

import pytest

from exporter.simulator.world.fleet import SimDevice, SimPlant, build


def test_a_fleet_is_as_large_as_asked():
    fleet = build(plants=130, devices=5_000)
    assert (len(fleet.plants), len(fleet.devices)) == (130, 5_000)


def test_plants_need_their_equipment():
    with pytest.raises(ValueError, match=r"^6 plants hold 41 devices, not 40$"):
        build(plants=6, devices=40)


def test_an_empty_fleet_is_a_fleet():
    assert len(build(plants=0).plants) == 0


def test_one_id_is_negative_and_one_beyond_doubles():
    ids = list(build().devices)
    assert min(ids) < 0
    assert any(int(float(number)) != number for number in ids)


def test_names_hold_quotes_umlauts_and_emoji():
    names = "".join(plant.name for plant in build().plants.values())
    assert {'"', "ü", "☀"} <= set(names)


def test_inverters_have_the_plants_capacity_between_them():
    for plant in build(plants=12, devices=300).plants.values():
        sizes = [device.size for device in plant.devices if device.type_id in {1, 14, 38}]
        assert sum(sizes) == pytest.approx(plant.capacity_kw, rel=1e-6)


def test_a_plant_comes_is_renamed_and_goes(client):
    fleet = client.system.fleet
    fleet.add_plant(SimPlant("NE=new", "New", 5.0, 49.0, 11.0))
    fleet.rename_plant("NE=new", "Newer")
    names = {p["stationCode"]: p["stationName"] for p in client.ask("getStationList")["data"]}
    assert names["NE=new"] == "Newer"
    fleet.remove_plant("NE=new")
    assert client.code("getStationRealKpi", stationCodes="NE=new") == 20007


def test_a_removed_plant_takes_its_devices_along(client):
    device_id, device = next(iter(client.system.fleet.devices.items()))
    client.system.fleet.remove_plant(device.plant_code)
    assert client.code("getDevRealKpi", devIds=str(device_id), devTypeId="1") == 20008


def test_a_device_comes_is_renamed_moves_and_goes(client):
    fleet = client.system.fleet
    first, second, *_ = fleet.plants
    fleet.add_device(SimDevice(77, "Spare", 47, first))
    fleet.rename_device(77, "Meter 2")
    fleet.move_device(77, second)
    assert 77 not in [device.id for device in fleet.plants[first].devices]
    listed = client.ask("getDevList", stationCodes=client.plants())["data"]
    found = [(d["devName"], d["stationCode"]) for d in listed if d["id"] == 77]
    assert found == [("Meter 2", second)]
    fleet.remove_device(77)
    assert client.code("getDevRealKpi", devIds="77", devTypeId="47") == 20008


def test_a_change_leaves_what_readers_hold_untouched():
    fleet = build()
    before = fleet.plants
    count = len(before)
    fleet.remove_plant(next(iter(before)))
    assert (len(before), len(fleet.plants)) == (count, count - 1)


def test_unknown_plants_and_devices_are_errors():
    fleet = build()
    for change in (fleet.remove_plant, fleet.remove_device):
        with pytest.raises(KeyError):
            change("NE=none")
    with pytest.raises(KeyError):
        fleet.move_device(1, "NE=none")
