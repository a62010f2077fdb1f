"""Alerts are compared with what happened: without a cause, beside a fault, or in time."""

from year.assessment import alert_episodes, assess
from year.faults import FAULT_KINDS, Fault
from year.simulation import Scenario, Simulation, window
from year.timeline import STEPS_PER_DAY

KINDS = {kind.name: kind for kind in FAULT_KINDS}
PLANT = {"account": "ill", "plant_code": "ill-field"}
FAULT = Fault(KINDS["string of a field out"], "ill", "ill-field", "i01", "2", 100, 400, 500)
DOWN = Fault(KINDS["exporter down"], "suspect", None, None, None, 700, 706, 718)
REFUSED = Fault(KINDS["account refused"], "suspect", None, None, None, 900, 918, 930)


def assessed(*alerts):
    simulation = Simulation(Scenario("desert", window(0, 5), plant_kinds=("cottage",)))
    simulation.faults = [FAULT, DOWN, REFUSED]
    simulation.circumstances = {("calm-cottage", 1): ("snow",)}
    alerts = [({"alertname": "A", **labels}, list(steps)) for labels, steps in alerts]
    assessment = assess(simulation, alerts)
    return (
        [(each.first, each.last, each.reason) for each in assessment.false_alerts],
        [(each.first, each.last) for each in assessment.side_alerts],
        [(each.in_time, each.episode and each.episode.first) for each in assessment.detections],
    )


def test_samples_within_half_an_hour_are_one_episode():
    episodes = alert_episodes([({}, [1, 2, 3, 9, 20, 21])])
    assert [(each.first, each.last) for each in episodes] == [(1, 9), (20, 21)]


def test_what_fires_on_a_healthy_plant_is_a_false_alert_with_its_circumstances():
    healthy = {"account": "homes", "plant_code": "calm-cottage"}
    noon = STEPS_PER_DAY + STEPS_PER_DAY // 2
    assert assessed((healthy, [noon, noon + 1])) == (
        [(noon, noon + 1, "snow")],
        [],
        [(False, None)] * 3,
    )


def test_a_fault_is_reported_by_an_alert_whose_labels_allow_it():
    late = [(False, 450), (False, None), (False, None)]
    assert assessed((PLANT, range(450, 460)))[2] == late
    device = PLANT | {"device_id": "ill-field/i01"}
    for labels in (PLANT, device, device | {"string": "2"}):
        assert assessed((labels, range(200, 210)))[2][0] == (True, 200)


def test_an_alert_of_another_device_or_time_is_a_side_alert():
    other = PLANT | {"device_id": "ill-field/i02"}
    for labels, steps in ((other, [200]), (PLANT, [99]), (PLANT, [501])):
        false_alerts, side_alerts, detections = assessed((labels, steps))
        assert (false_alerts, side_alerts) == ([], [(steps[0], steps[0])])
        assert detections[0] == (False, None)


def test_faults_of_an_account_and_an_exporter_are_reported_with_their_labels():
    false_alerts, side_alerts, detections = assessed(
        ({"account": "suspect"}, [905]), ({"job": "j", "instance": "suspect"}, [701])
    )
    assert (false_alerts, side_alerts, detections[1:]) == ([], [], [(True, 701), (True, 905)])
    assert assessed(({"account": "homes"}, [905]))[2][2] == (False, None)
