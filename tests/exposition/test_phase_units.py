"""The unit of a grid meter's phases: documented, contradicted, and decided by several readings."""

import pytest
from exposition.world import DEVICES, World

from exporter.account.model import PhaseUnit
from exporter.exposition.phase_units import updated
from exporter.exposition.translate import Translator
from exporter.northbound.records import Device, Plant, Reading, Values

HOME = Plant("HOME", "Home", 100_000.0)
METER, OTHER = Device("17", "HOME", 17), Device("18", "HOME", 17)
PHASES = "fusionsolar_meter_phase_active_power_watts"


def sent(total, factor):
    """A reading of this many watts, whose phases are sent in a unit of this factor."""
    shares = {"a": 0.5, "b": 0.3, "c": 0.2}
    return {"active_power": total} | {
        f"active_power_{phase}": total * share / factor for phase, share in shares.items()
    }


def watts(total):
    return sent(total, 1)


def kilowatts(total):
    return sent(total, 1_000)


@pytest.fixture
def world():
    world = World()
    world.fleet(HOME, METER, OTHER)
    return world


def phases_after(world, values, device=METER):
    """What the phases of a meter show after an answer; none if they are absent."""
    world.elapse(60.0)
    world.answer(DEVICES, [device.id], {device.id: values})
    return phases(world, device)


def phases(world, device=METER):
    found = world.series(f"{PHASES}{{")
    return [round(v, 3) for series, v in found.items() if f"device_id={device.id}," in series]


def undecided(world):
    return world.self_metric(
        "fusionsolar_values_rejected_total", interface="getDevRealKpi", reason="unit_undecided"
    )


def test_the_documented_kilowatts_stand_from_the_first_reading(world):
    assert phases_after(world, kilowatts(1_000.0)) == [500.0, 300.0, 200.0]
    assert undecided(world) is None


def test_phases_that_contradict_it_are_absent_until_three_readings_agree(world):
    assert phases_after(world, watts(1_000.0)) == []
    assert phases_after(world, watts(-1_100.0)) == []
    assert undecided(world) == 6
    assert phases_after(world, watts(1_200.0)) == [600.0, 360.0, 240.0]
    assert phases_after(world, watts(10.0)) == [5.0, 3.0, 2.0]


def test_readings_that_disagree_decide_nothing(world):
    for total, reading in enumerate([watts, watts, kilowatts, watts, kilowatts, kilowatts]):
        assert phases_after(world, reading(1_000.0 + total)) == []
    assert phases_after(world, kilowatts(2_000.0)) == [1_000.0, 600.0, 400.0]


def test_one_odd_reading_after_the_decision_takes_the_phases_away_until_three_agree(world):
    for total in (1_000.0, 1_100.0, 1_200.0):
        phases_after(world, watts(total))
    assert phases_after(world, kilowatts(1_300.0)) == []
    assert [phases_after(world, watts(total)) for total in (1_000.0, 1_100.0)] == [[], []]
    assert phases_after(world, watts(1_200.0)) == [600.0, 360.0, 240.0]


def test_an_answer_that_repeats_itself_is_one_reading(world):
    for _ in range(5):
        assert phases_after(world, watts(1_000.0)) == []


def test_every_meter_has_its_own_unit(world):
    for total in (1_000.0, 1_100.0, 1_200.0):
        phases_after(world, watts(total))
    assert phases_after(world, kilowatts(1_000.0), OTHER) == [500.0, 300.0, 200.0]
    assert phases(world) == [600.0, 360.0, 240.0]


def test_the_decision_and_the_doubt_survive_a_restart(world):
    for total in (1_000.0, 1_100.0, 1_200.0):
        phases_after(world, watts(total))
    phases_after(world, watts(2_000.0), OTHER)

    later = world.restart()

    assert phases(later) == [600.0, 360.0, 240.0]
    assert phases(later, OTHER) == []
    assert phases_after(later, watts(2_000.0), OTHER) == []  # the same reading as before
    assert phases_after(later, watts(2_100.0), OTHER) == []
    assert phases_after(later, watts(2_200.0), OTHER) == [1_100.0, 660.0, 440.0]


def test_a_meter_that_is_gone_is_forgotten(world):
    phases_after(world, watts(1_000.0))
    world.fleet(HOME, OTHER)
    assert world.state.phase_units == {}


@pytest.mark.parametrize(
    ("total", "phases"),
    [
        (199.0, 199.0),  # too small
        (1_000.0, 400.0),  # neither
        (1_000.0, 0.0),
        (1_000.0, 30.0),
        (0.0, 0.0),
    ],
)
def test_a_reading_that_shows_neither_unit_changes_nothing(total, phases):
    assert updated(PhaseUnit(), total, phases) == PhaseUnit()


@pytest.mark.parametrize(
    ("total", "phases", "seen"),
    [
        (1_000.0, 1_190.0, "W"),
        (-1_000.0, 850.0, "W"),
        (1_000.0, 1.19, "kW"),
        (250_000.0, -250.0, "kW"),
    ],
)
def test_near_1_speaks_for_watts_and_near_a_thousandth_for_kilowatts(total, phases, seen):
    assert updated(PhaseUnit(), total, phases).seen == seen


def test_a_reading_without_all_phases_or_without_a_total_shows_nothing(world):
    for key in ("active_power", "active_power_a", "active_power_c"):
        values = watts(1_000.0)
        del values[key]
        phases_after(world, values)
    assert world.state.phase_units == {}


def translated(factors, *readings):
    """The phases after the last reading, under configured factors."""
    translator = Translator({(17, key): factor for key, factor in factors.items()})
    for values in readings:
        result = translator.translate("getDevRealKpi", 17, Reading("17", Values(values)), 1e9)
    return [
        round(value, 3) for series, value in result.samples.items() if series.metric.name == PHASES
    ]


def test_a_configured_factor_wins_over_every_reading():
    factors = {f"active_power_{phase}": 2.0 for phase in "abc"}
    assert translated(factors, watts(1_000.0)) == [1_000.0, 600.0, 400.0]
    assert translated({"active_power_b": 2.0}, watts(1_000.0)) == [600.0]


def test_the_total_is_taken_in_the_unit_that_is_configured():
    all_in_kilowatts = {key: each / 1_000 for key, each in watts(2_000.0).items()}
    assert translated({"active_power": 1_000.0}, all_in_kilowatts) == [1_000.0, 600.0, 400.0]
