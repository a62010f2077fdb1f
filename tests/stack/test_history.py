"""A year of the past in real servers: read back by the dashboards' own queries, value by value."""

import pytest
from stack.past import END, LABELS, RECENT, START, metric_of, prometheus, written_past
from stack.queries import PANELS

from exporter.northbound.interfaces import DAY

pytestmark = pytest.mark.slow

SERVERS = ("remote-write", "files", "victoria-metrics")
INVERTER = 1
ENERGY_PER_DAY = ("fusionsolar-plant", "Energy per day", "A")
FED_IN = ("fusionsolar-home", "Month by month, and the year before", "B")
YEAR_BEFORE = ("fusionsolar-home", "Month by month, and the year before", "D")
SPECIFIC_YIELD = ("fusionsolar-home", "Specific yield by year, kWh/kWp", "A")
YEAR = 1_704_063_600.0  # 2024 begins in Berlin
MAY, MAY_BEFORE = 1_746_050_400.0, 1_714_514_400.0  # of 2025 and 2024, at midnight in Berlin


@pytest.fixture(scope="module")
def past(servers, tmp_path_factory):  # noqa: ARG001  # it is the question whether
    with written_past(tmp_path_factory.mktemp("past")) as made:
        yield made


def panel(place, plant):
    """What a panel asks about one plant."""
    (expression,) = (
        each.expression for each in PANELS if (each.place, each.title, each.part) == place
    )
    for variable, value in {
        "$job": "fusionsolar",
        "$instance": "demo",
        "$account": "home",
        "$plant": plant.code,
    }.items():
        expression = expression.replace(variable, value)
    return expression


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("nth", range(3))
def test_each_day_of_a_year_is_what_the_simulator_knows(past, server, nth):
    plant = list(past.home.system.fleet.plants.values())[nth]
    days = {at: v for at, v in past.days(plant).items() if START + DAY < at < END - 2 * DAY}
    assert len(days) in {385, 386, 387}
    expression = panel(ENERGY_PER_DAY, plant)
    read = {}
    for start in list(days)[::90]:
        ((_, values),) = past.range(server, expression, start, start + 90 * DAY, DAY).items()
        read |= values
    # Panels step by 24 hours, days where clocks change do not.
    near = (0.0, -3600.0, 3600.0)
    found = {at: next(read[at + n] for n in near if at + n in read) for at in days}
    wanted = {at: values["inverter_power"] for at, values in days.items()}
    assert found == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("server", SERVERS)
def test_a_month_and_that_of_the_year_before_are_what_the_simulator_knows(past, server):
    (plant, *_) = past.home.system.fleet.plants.values()
    now, before = (past.period("Month", plant, at) for at in (MAY, MAY_BEFORE))
    ((_, fed_in),) = past.range(server, panel(FED_IN, plant), MAY, MAY, DAY).items()
    assert fed_in == {MAY: pytest.approx(now["ongrid_power"], rel=1e-12)}
    ((_, then),) = past.range(server, panel(YEAR_BEFORE, plant), MAY, MAY, DAY).items()
    assert then == {MAY: pytest.approx(before["inverter_power"], rel=1e-12)}


@pytest.mark.parametrize("server", SERVERS)
def test_a_year_is_what_the_simulator_knows_at_the_step_nearest_to_its_begin(past, server):
    (plant, *_) = past.home.system.fleet.plants.values()
    year = past.period("Year", plant, YEAR)
    wanted = year["inverter_power"] / year["installed_capacity"]
    expression = panel(SPECIFIC_YIELD, plant)
    ((_, values),) = past.range(server, expression, YEAR - 5 * DAY, YEAR + 9 * DAY, 7 * DAY).items()
    assert values == {YEAR + 2 * DAY: pytest.approx(wanted, rel=1e-12)}


@pytest.mark.parametrize("server", SERVERS)
def test_five_minute_values_stand_at_their_own_times(past, server):
    devices = past.home.system.fleet.devices.values()
    device = next(each for each in devices if each.type_id == INVERTER)
    name, factor = metric_of("getDevFiveMinutes", INVERTER, "active_power")
    wanted = {
        at: pytest.approx(values["active_power"] * factor)
        for at, values in past.five_minutes(device).items()
        if at >= RECENT
    }
    selected = f'{name}{{device_id="{device.id}", job="fusionsolar", instance="demo"}}'
    ((labels, values),) = past.samples(server, selected, RECENT - 1, max(wanted)).items()
    assert dict(labels)["plant_code"] == device.plant_code
    assert values == wanted
    assert len(values) > 100


def test_a_prometheus_that_takes_no_past_is_told_of_with_what_to_set(past, tmp_path, capsys):
    with prometheus(tmp_path) as url:
        flags = ("history", *LABELS, "--sources", "getKpiStationDay", "--to", "2025-06-25")
        write = ("--remote-write", f"{url}/api/v1/write")
        past.home.run(*flags, "--from", "2025-06-20", *write)
        assert past.home.run(*flags, "--from", "2024-06-01", *write) == 1
    assert "set storage.tsdb.out_of_order_time_window" in capsys.readouterr().err
