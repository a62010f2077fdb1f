import pytest
from exposition.world import ACCOUNT_INFO, World

from exporter.northbound.records import Device, Plant


def inventory_series(world):
    """All series but the account's own, without the prefix that all have."""
    series = world.series()
    assert series.pop(ACCOUNT_INFO) == 1.0
    return {name.removeprefix("fusionsolar_"): value for name, value in series.items()}


def test_an_account_and_its_currency_are_shown_before_anything_is_known():
    assert World().series() == {"fusionsolar_account_info{account=home,currency=}": 1.0}
    world = World(currency="EUR")
    assert world.series() == {"fusionsolar_account_info{account=home,currency=EUR}": 1.0}


def test_what_the_lists_tell_becomes_labels_of_info_metrics():
    world = World()
    plant = Plant("P", '"Hill"', 1_500.0, build_state="1", connection_type="3")
    device = Device("1", "P", 14, "Inverter", "SUN8000", "SN1", "V2")
    world.fleet(plant, device)
    assert inventory_series(world) == {
        "plant_info{account=home,build_state=under_construction,connection_type=residential,"
        'plant_code=P,plant_name="Hill"}': 1.0,
        "plant_capacity_watts{account=home,plant_code=P}": 1_500.0,
        "device_info{account=home,device_id=1,device_name=Inverter,device_type=central_inverter,"
        "model=SUN8000,plant_code=P,serial_number=SN1,software_version=V2}": 1.0,
    }


def test_a_code_without_a_name_is_shown_as_it_was_sent():
    world = World()
    world.fleet(Plant("P", "", build_state="9", connection_type="8"))
    assert list(inventory_series(world)) == [
        "plant_info{account=home,build_state=9,connection_type=8,plant_code=P,plant_name=}"
    ]


def test_labels_without_a_value_are_written_empty():
    world = World()
    world.fleet(Plant("P", ""), Device("1", "P", 4711))
    assert inventory_series(world) == {
        "device_info{account=home,device_id=1,device_name=,device_type=type_4711,model=,"
        "plant_code=P,serial_number=,software_version=}": 1.0,
        "plant_info{account=home,build_state=,connection_type=,plant_code=P,plant_name=}": 1.0,
    }


@pytest.mark.parametrize(
    ("places", "plant", "devices", "expected"),
    [
        ({"P": (1.0, 2.0)}, (3.0, 4.0), [(5.0, 6.0)], (1.0, 2.0)),
        ({"Q": (1.0, 2.0)}, (3.0, 4.0), [(5.0, 6.0)], (3.0, 4.0)),
        ({}, (None, None), [(5.0, 6.0), (6.0, 8.0), (None, None)], (5.5, 7.0)),
        ({}, (None, None), [(-16.8, 179.9), (-16.8, -179.7)], (-16.8, -179.9)),
        ({}, (None, None), [(47.37694, -8.54166)], (47.377, -8.542)),
        ({}, (None, None), [(None, None)], None),
    ],
    ids=[
        "configured",
        "listed",
        "mean of its devices",
        "across the date line",
        "three decimals",
        "nowhere",
    ],
)
def test_where_a_plant_is(places, plant, devices, expected):
    world = World(places=places)
    world.fleet(
        Plant("P", "", latitude=plant[0], longitude=plant[1]),
        *(Device(str(n), "P", 1, latitude=x, longitude=y) for n, (x, y) in enumerate(devices)),
    )
    found = tuple(
        world.series(f"fusionsolar_plant_{axis}_degrees").get(
            f"fusionsolar_plant_{axis}_degrees{{account=home,plant_code=P}}"
        )
        for axis in ("latitude", "longitude")
    )
    assert found == (expected or (None, None))
