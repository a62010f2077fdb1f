"""Alerts are held against what happened: without a cause, beside a fault, or told in time."""

from year.faults import KINDS, Fault
from year.sky import STEPS
from year.verdict import episodes, judge
from year.world import Scene, World, window

KIND = {kind.name: kind for kind in KINDS}
PLANT = {"account": "ill", "plant_code": "ill-field"}
FAULT = Fault(KIND["string of a field out"], "ill", "ill-field", "i01", "2", 100, 400, 500)
DOWN = Fault(KIND["exporter down"], "suspect", None, None, None, 700, 706, 718)
REFUSED = Fault(KIND["account refused"], "suspect", None, None, None, 900, 918, 930)


def verdict(*alerts):
    world = World(Scene("desert", window(0, 5), kinds=("cottage",)))
    world.faults = [FAULT, DOWN, REFUSED]
    world.notes = {("calm-cottage", 1): ("snow",)}
    found = judge(world, [({"alertname": "A", **labels}, list(steps)) for labels, steps in alerts])
    return (
        [(each.first, each.last, each.reason) for each in found.false],
        [(each.first, each.last) for each in found.beside],
        [(each.in_time, each.episode and each.episode.first) for each in found.told],
    )


def test_samples_within_half_an_hour_are_one_episode():
    found = episodes([({}, [1, 2, 3, 9, 20, 21])])
    assert [(each.first, each.last) for each in found] == [(1, 9), (20, 21)]


def test_what_fires_on_a_calm_plant_is_false_with_what_went_on():
    calm = {"account": "homes", "plant_code": "calm-cottage"}
    noon = STEPS + STEPS // 2
    assert verdict((calm, [noon, noon + 1])) == (
        [(noon, noon + 1, "snow")],
        [],
        [(False, None)] * 3,
    )


def test_a_fault_is_told_by_what_does_not_contradict_it():
    told = (False, 450), (False, None), (False, None)
    assert verdict((PLANT, range(450, 460)))[2] == list(told)
    device = PLANT | {"device_id": "ill-field/i01"}
    for labels in (PLANT, device, device | {"string": "2"}):
        assert verdict((labels, range(200, 210)))[2][0] == (True, 200)


def test_what_is_of_another_device_or_time_is_beside_the_fault():
    other = PLANT | {"device_id": "ill-field/i02"}
    for labels, steps in ((other, [200]), (PLANT, [99]), (PLANT, [501])):
        false, beside, told = verdict((labels, steps))
        assert (false, beside) == ([], [(steps[0], steps[0])])
        assert told[0] == (False, None)


def test_an_account_and_an_exporter_are_told_by_their_own_labels():
    false, beside, told = verdict(
        ({"account": "suspect"}, [905]), ({"job": "j", "instance": "suspect"}, [701])
    )
    assert (false, beside, told[1:]) == ([], [], [(True, 701), (True, 905)])
    assert verdict(({"account": "homes"}, [905]))[2][2] == (False, None)
