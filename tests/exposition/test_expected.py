"""What the page says of expected power while answers come, the fleet changes and runs end."""

import pytest
from account.roofs import DAY, MUNICH, Roof
from exposition.world import DEVICES, World

from exporter.account.learned_power import MIN_ELEVATION
from exporter.northbound.records import Device, Plant
from exporter.sky import sun_over

pytestmark = pytest.mark.slow

HILL, MILL = Plant("HILL", "Hill"), Plant("MILL", "Mill")
A, B, C = Device("1", "HILL", 1), Device("2", "HILL", 38), Device("3", "MILL", 1)
METER = Device("4", "HILL", 17)
PLACES = {"HILL": MUNICH}
ROOF = Roof(180)
NOON = 20_630.0 * DAY + 11.6 * 3_600  # about, in June
INVERTER = "fusionsolar_inverter_expected_power_watts"
STRING = "fusionsolar_inverter_string_expected_power_watts"
PLANT = "fusionsolar_plant_expected_power_watts"
LEARNED = "fusionsolar_inverter_expected_power_learned_seconds"


def values(at, share=1.0, **more):
    """What an inverter with two strings sends, the second of which has a third of the power."""
    watts = share * ROOF.power(MUNICH, at)
    return {
        "active_power": round(0.00097 * watts, 3),
        "mppt_power": round(0.001 * watts, 3),
        "inverter_state": 512.0,
        "run_state": 1.0,
        "pv1_u": 600.0,
        "pv1_i": watts / 900,
        "pv2_u": 300.0,
        "pv2_i": watts / 900,
        "pv3_u": 0.0,
        "pv3_i": 0.0,
        **more,
    }


def new_world(*fleet, **settings):
    world = World(epoch=NOON, places=PLACES, fleet=fleet, **settings)
    world.plan(DEVICES, max_age=3 * DAY)
    return world


def answer_daily(world, days, *devices, **more):
    """Lets so many days pass; each time at noon the devices answer. Ends after an answer."""
    for _ in range(days):
        world.elapse(DAY)
        world.answer(DEVICES, devices, {each: values(world.epoch, **more) for each in devices})


@pytest.fixture
def world():
    return new_world(HILL, MILL, A, METER)


def test_after_a_week_the_page_says_what_is_expected(world):
    answer_daily(world, 8, "1")
    clear = ROOF.power(MUNICH, world.epoch)
    labels = "account=home,device_id=1,plant_code=HILL"
    found = world.series("fusionsolar_inverter_") | world.series("fusionsolar_plant_expected")
    expected = {series: value for series, value in found.items() if "_expected_" in series}
    assert expected == {
        f"{INVERTER}{{{labels}}}": pytest.approx(clear, rel=0.02),
        f"{STRING}{{{labels},string=1}}": pytest.approx(clear * 2 / 3, rel=0.02),
        f"{STRING}{{{labels},string=2}}": pytest.approx(clear / 3, rel=0.02),
        f"{LEARNED}{{{labels}}}": 7.0 * DAY,  # today's is under way
        f"{PLANT}{{account=home,plant_code=HILL}}": pytest.approx(clear, rel=0.02),
    }


def test_until_then_it_says_on_how_many_days_that_will_rest(world):
    answer_daily(world, 7, "1")
    assert list(world.series("fusionsolar_inverter_expected").values()) == [6.0 * DAY]
    assert world.series(STRING) == world.series(PLANT) == {}


def test_the_output_counts_where_no_dc_power_is_sent(world):
    for _ in range(9):
        world.elapse(DAY)
        sent = {**values(world.epoch), "active_power": 4.0}
        del sent["mppt_power"]
        world.answer(DEVICES, ["1"], {"1": sent})
    assert list(world.series(INVERTER).values()) == [pytest.approx(4_000.0, rel=0.02)]


def test_a_silent_inverter_is_expected_to_give_what_it_would(world):
    answer_daily(world, 9, "1")
    world.elapse(DAY)
    before = list(world.series(INVERTER).values())
    for sent in ({}, {"1": {}}, {"1": {"run_state": 0.0}}, {"1": values(world.epoch, 0.0)}):
        world.answer(DEVICES, ["1"], sent)
        assert list(world.series(INVERTER).values()) == pytest.approx(before, rel=0.02)


def test_nothing_is_expected_at_night(world):
    answer_daily(world, 9, "1")
    world.elapse(DAY / 2)
    assert sun_over(MUNICH, world.epoch).elevation < MIN_ELEVATION
    world.answer(DEVICES, ["1"], {"1": values(world.epoch)})
    assert list(world.series("fusionsolar_inverter_expected")) == [
        f"{LEARNED}{{account=home,device_id=1,plant_code=HILL}}"
    ]
    assert world.series(STRING) == world.series(PLANT) == {}


def test_it_ages_like_the_answer_beside_it(world):
    answer_daily(world, 9, "1")
    world.plan(DEVICES, max_age=300.0)
    world.elapse(300.0)
    assert len(world.series(INVERTER)) == len(world.series(PLANT)) == 1
    world.elapse(1.0)
    assert world.series(INVERTER) == world.series(PLANT) == {}


def test_a_plant_of_unknown_place_teaches_nothing():
    world = new_world(MILL, C)
    answer_daily(world, 9, "3")
    assert [series for series in world.series() if "_expected_" in series] == []
    assert dict(world.state.learned_power) == {}


def test_a_plant_is_expected_to_give_what_all_its_inverters_give():
    world = new_world(HILL, A, B)
    answer_daily(world, 9, "1", "2")
    (plant,), inverters = world.series(PLANT).values(), world.series(INVERTER).values()
    assert len(inverters) == 2
    assert plant == pytest.approx(sum(inverters), abs=0.2)


def test_nothing_is_expected_of_a_plant_while_one_inverter_is_unknown():
    world = new_world(HILL, A, B)
    answer_daily(world, 9, "1")
    assert (len(world.series(INVERTER)), world.series(PLANT)) == (1, {})


def test_a_new_inverter_takes_its_plants_expectation_away(world):
    answer_daily(world, 9, "1")
    world.fleet(HILL, MILL, A, B, METER)
    world.answer(DEVICES, ["1"], {"1": values(world.epoch)})
    assert (len(world.series(INVERTER)), world.series(PLANT)) == (1, {})


@pytest.mark.parametrize("more", [{"run_state": 0.0}, {"inverter_state": 40_960.0, "share": 0.0}])
def test_what_an_unreachable_or_sleeping_inverter_sends_teaches_nothing(world, more):
    answer_daily(world, 9, "1", **more)
    assert list(world.series(INVERTER)) == []


def test_an_answer_that_repeats_the_one_before_teaches_nothing(world):
    sent = values(world.epoch)
    for _ in range(60):
        world.elapse(DAY / 4)
        world.answer(DEVICES, ["1"], {"1": sent})
    assert world.series(INVERTER) == {}


@pytest.mark.parametrize("state", [513.0, 514.0, 772.0])
def test_a_limited_inverter_could_have_given_more(world, state):
    answer_daily(world, 9, "1")
    before = list(world.series(INVERTER).values())
    answer_daily(world, 30, "1", share=0.8, inverter_state=state)
    assert list(world.series(INVERTER).values()) == pytest.approx(before, rel=0.05)


def test_what_was_learned_survives_a_restart(world):
    answer_daily(world, 9, "1")
    again = world.restart(places=PLACES)
    again.plan(DEVICES, max_age=3 * DAY)
    assert again.series() == world.series()
    for each in (world, again):
        answer_daily(each, 3, "1")
    # What was measured in the forty minutes of the restart is lost, no more.
    days = [each.series(LEARNED).popitem()[1] / DAY for each in (world, again)]
    assert days == [11.0, 10.0]
    assert list(again.series(INVERTER).values()) == pytest.approx(
        list(world.series(INVERTER).values()), rel=0.01
    )


def test_what_was_learned_is_saved_when_it_changes(world):
    answer_daily(world, 2, "1")
    assert ("learned_power", "1") in world.unsaved()
    world.save()
    world.answer(DEVICES, ["1"], {"1": values(world.epoch + 1)})
    assert ("learned_power", "1") not in world.unsaved()
    answer_daily(world, 1, "1")
    assert ("learned_power", "1") in world.unsaved()


def test_what_was_learned_goes_with_its_inverter(world):
    answer_daily(world, 9, "1")
    world.fleet(HILL, MILL, METER)
    assert world.series("fusionsolar_inverter_expected") == {}
    assert dict(world.state.learned_power) == {}
    world.fleet(HILL, MILL, A, METER)
    answer_daily(world, 3, "1")
    assert list(world.series("fusionsolar_inverter_expected").values()) == [2.0 * DAY]


def test_a_central_inverter_has_no_string_powers():
    world = new_world(HILL, Device("9", "HILL", 14))
    for _ in range(9):
        world.elapse(DAY)
        sent = {"mppt_power": ROOF.power(MUNICH, world.epoch) / 1e3, "center_u": 900.0}
        world.answer(DEVICES, ["9"], {"9": {**sent, "center_i": 5.0, "center_i_1": 5.0}})
    assert (len(world.series(INVERTER)), world.series(STRING)) == (1, {})
