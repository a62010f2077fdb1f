"""`counters`: what lifetime counters hold back, and that an operator accepts it."""

import json

import pytest
import structlog
from commands.world import NOON, expected, world

from exporter.account.counters import CounterRun, Counters, CounterState
from exporter.account.state_directory import file_of, key_of
from exporter.northbound.interfaces import Subject
from exporter.northbound.records import Device, Plant

pytestmark = pytest.mark.slow

ROOF, INVERTER = "NE=33554432", "1000000033554401"
PLANT_ENERGY = "fusionsolar_plant_energy_joules_total"
MPPT_ENERGY = "fusionsolar_inverter_mppt_energy_joules_total"


def run_of(value, at):
    return CounterRun(value, at, at, value, at)


@pytest.fixture
def home(tmp_path):
    with world(tmp_path) as made:
        of_plant = {(PLANT_ENERGY, ()): CounterState(6_925.5, NOON, run=run_of(0.4, NOON))}
        of_device = {
            (MPPT_ENERGY, ("1",)): CounterState(3_100.0, NOON, run=run_of(310_000.0, NOON + 300)),
            (MPPT_ENERGY, ("2",)): CounterState(2_900.0, NOON),
        }
        with made.stored() as state:
            state.fleet.plants[ROOF] = Plant(ROOF, "Roof")
            state.fleet.devices[INVERTER] = Device(INVERTER, ROOF, 1, "Inverter")
            state.counters[Subject.PLANTS][ROOF] = Counters(of_plant)
            state.counters[Subject.DEVICES][INVERTER] = Counters(of_device)
        yield made


def accepted_values(home):
    with home.stored() as state:
        return sorted((e.subject.value, e.name, e.metric) for e in state.accepted.values())


def test_a_table_of_what_is_held_back(home, capsys):
    assert home.run("counters") == 0
    assert capsys.readouterr().out == expected("counters")
    assert accepted_values(home) == []


def test_as_json(home, capsys):
    assert home.run("counters", "--plant", ROOF, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "subject": "plants",
            "code": ROOF,
            "name": "Roof",
            "metric": PLANT_ENERGY,
            "labels": [],
            "unit": "kWh",
            "shown": 6_925.5,
            "reported": 0.4,
            "since": NOON,
        }
    ]


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        (["--plant", ROOF], [("plants", ROOF, PLANT_ENERGY)]),
        (["--device", INVERTER, "--metric", MPPT_ENERGY], [("devices", INVERTER, MPPT_ENERGY)]),
        (
            ["--device", INVERTER, "--plant", ROOF],
            [("devices", INVERTER, MPPT_ENERGY), ("plants", ROOF, PLANT_ENERGY)],
        ),
    ],
)
def test_what_is_accepted_is_left_for_the_exporter(home, capsys, chosen, left):
    assert home.run("counters", "accept", *chosen) == 0
    assert capsys.readouterr().err == "accepted; the exporter shows it with its next answer\n"
    assert accepted_values(home) == left


@pytest.mark.parametrize(
    "chosen", [["--plant", "NE=1"], ["--device", INVERTER, "--metric", PLANT_ENERGY]]
)
def test_what_is_not_held_back_cannot_be_accepted(home, capsys, chosen):
    assert home.run("counters", "accept", *chosen) == 1
    assert capsys.readouterr().err == "nothing is held back\n"
    assert accepted_values(home) == []


def test_nothing_is_accepted_without_saying_of_what(home, capsys):
    with pytest.raises(SystemExit) as ended:
        home.run("counters", "accept")
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "fusionsolar-exporter: counters accept: --plant or --device is needed\n"
    )


def test_it_works_beside_a_running_exporter_and_calls_nothing(home, capsys):
    with home.daemon():
        assert home.run("counters", "accept", "--plant", ROOF) == 0
    assert home.calls("login") == 0
    assert "6,925.50 kWh" in capsys.readouterr().out


def test_without_a_state_directory_there_is_nothing_to_look_at(home, capsys):
    home.configure(state=False)
    with pytest.raises(SystemExit) as ended:
        home.run("counters")
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(
        "counters: without a state directory nothing is kept that could be looked at\n"
    )


def test_a_damaged_state_is_told_apart_from_the_result(home, capsys):
    structlog.reset_defaults()  # as a process begins
    file_of(home.state, key_of(home.url, "api")).write_bytes(b"no state" * 100)
    assert home.run("counters", "--format", "json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == []
    assert 'event="state was damaged, starting anew"' in printed.err
