"""What a plant's alarms look like on the page, and how they are counted."""

from dataclasses import replace
from itertools import permutations

import pytest
from exposition.world import ALARMS, PLANTS, World
from hypothesis import given
from hypothesis import strategies as st

from exporter.exposition.alarms import SEVERITIES, active
from exporter.northbound.records import Alarm, Device, Plant

HILL, MILL = Plant("HILL", "Hill"), Plant("MILL", "Mill")
FAULT = Alarm(
    plant_code="HILL", serial_number="SN1", alarm_id="2032", cause_id="1", raised=1_000.0,
    name="Loose wire", device_name="Roof", severity="major", type="exception", status=1,
)  # fmt: skip
LABELS = (
    "account=home,alarm_id=2032,alarm_name=Loose wire,alarm_type=exception,device_name=Roof,"
    "plant_code=HILL,serial_number=SN1,severity=major"
)


@pytest.fixture
def world():
    world = World(severities=SEVERITIES)
    world.fleet(HILL, MILL)
    return world


def alarm(**differs):
    return replace(FAULT, **differs)


def by_severity(world, metric, plant="HILL"):
    """Value by severity, of those that are not 0."""
    series = world.series(f"fusionsolar_{metric}{{account=home,plant_code={plant},")
    return {name.split("severity=")[1][:-1]: value for name, value in series.items() if value}


def named_alarms(world):
    """Ids of the alarms that have series of their own, in the order of the page."""
    return [
        series.split("alarm_id=")[1].split(",")[0]
        for series in world.series("fusionsolar_alarm_active{")
    ]


def test_an_active_alarm_has_three_series_and_is_counted_by_severity(world):
    world.show_alarms({"HILL": ([FAULT], [FAULT])})
    assert world.series("fusionsolar_alarm_") == {
        f"fusionsolar_alarm_active{{{LABELS}}}": 1.0,
        f"fusionsolar_alarm_raised_timestamp_seconds{{{LABELS}}}": 1_000.0,
        f"fusionsolar_alarm_status_code{{{LABELS}}}": 1.0,
    }
    assert by_severity(world, "alarms_active") == {"major": 1.0}
    assert by_severity(world, "alarms_total") == {"major": 1.0}
    assert world.series("fusionsolar_alarms_left_out") == {
        "fusionsolar_alarms_left_out{account=home,plant_code=HILL}": 0.0
    }


def test_known_plants_count_from_zero_before_anything_was_asked(world):
    assert world.series("fusionsolar_alarm") == {
        f"fusionsolar_alarms_total{{account=home,plant_code={plant},severity={severity}}}": 0.0
        for plant in ("HILL", "MILL")
        for severity in ("critical", "major", "minor", "warning", "unknown")
    }


def test_what_is_active_is_shown_of_plants_that_were_asked_about_alone(world):
    world.show_alarms({"HILL": ([], [])})
    assert world.series("fusionsolar_alarms_active") == {
        f"fusionsolar_alarms_active{{account=home,plant_code=HILL,severity={severity}}}": 0.0
        for severity in SEVERITIES
    }


def test_first_sightings_add_up_and_never_age(world):
    world.show_alarms({"HILL": ([FAULT], [FAULT, alarm(raised=5.0)]), "MILL": ([], [])})
    world.show_alarms({"HILL": ([FAULT], [])})
    world.show_alarms({"HILL": ([FAULT], [alarm(severity="critical")]), "MILL": ([], [FAULT])})
    world.at += 1e9
    assert by_severity(world, "alarms_total") == {"major": 2.0, "critical": 1.0}
    assert by_severity(world, "alarms_total", "MILL") == {"major": 1.0}
    assert by_severity(world, "alarms_active") == {}


def test_what_is_active_ages_as_the_plan_says(world):
    world.show_alarms({"HILL": ([FAULT], [])})
    world.at += 300.0
    assert named_alarms(world) == ["2032"]
    world.at += 0.1
    assert named_alarms(world) == []
    world.plan(ALARMS, max_age=3_000.0)
    assert named_alarms(world) == ["2032"]


def test_an_alarm_that_is_over_is_gone_at_once_and_stays_counted(world):
    world.show_alarms({"HILL": ([FAULT], [FAULT])})
    world.show_alarms({"HILL": ([], [])})
    assert named_alarms(world) == []
    assert by_severity(world, "alarms_active") == {}
    assert by_severity(world, "alarms_total") == {"major": 1.0}


def test_acknowledging_an_alarm_changes_its_status_and_no_label(world):
    world.show_alarms({"HILL": ([FAULT], [])})
    before = set(world.series("fusionsolar_alarm_"))
    world.show_alarms({"HILL": ([alarm(status=2)], [])})
    after = world.series("fusionsolar_alarm_")
    assert set(after) == before
    assert after[f"fusionsolar_alarm_status_code{{{LABELS}}}"] == 2.0


def test_without_a_status_there_is_no_status_series(world):
    world.show_alarms({"HILL": ([alarm(status=None)], [])})
    assert len(world.series("fusionsolar_alarm_")) == 2


def test_alarms_that_look_alike_are_one_series_raised_when_the_first_was(world):
    occurrences = [
        alarm(raised=300.0, cause_id="3"), alarm(raised=100.0, status=3),
        alarm(raised=200.0, cause_id="2"),
    ]  # fmt: skip
    for order in permutations(occurrences):
        world.show_alarms({"HILL": (order, [])})
        assert world.series("fusionsolar_alarm_") == {
            f"fusionsolar_alarm_active{{{LABELS}}}": 1.0,
            f"fusionsolar_alarm_raised_timestamp_seconds{{{LABELS}}}": 100.0,
            f"fusionsolar_alarm_status_code{{{LABELS}}}": 3.0,
        }
        assert by_severity(world, "alarms_active") == {"major": 3.0}


def test_only_so_many_alarms_of_a_plant_have_series_and_the_rest_is_counted():
    world = World(severities=SEVERITIES, max_active_per_plant=2)
    world.fleet(HILL, MILL)
    many = [alarm(alarm_id=str(n), raised=float(n)) for n in range(5)]
    world.show_alarms({"HILL": (many, []), "MILL": (many[:2], [])})
    assert list(world.series("fusionsolar_alarms_left_out").values()) == [3.0, 0.0]
    assert len(named_alarms(world)) == 4
    assert by_severity(world, "alarms_active") == {"major": 5.0}


def test_the_most_severe_have_series_first_and_among_them_the_newest():
    alarms = [
        alarm(alarm_id="a", severity="unknown", raised=9.0),
        alarm(alarm_id="b", severity="warning", raised=9.0),
        alarm(alarm_id="c", severity="critical", raised=1.0),
        alarm(alarm_id="d", severity="major", raised=2.0),
        alarm(alarm_id="e", severity="major", raised=3.0),
        alarm(alarm_id="f", severity="major", raised=3.0),
        alarm(alarm_id="g", severity="minor", raised=9.0),
    ]
    for order in (alarms, alarms[::-1]):
        for most in range(8):
            ids = [
                sample.labels[2]
                for sample in active(order, SEVERITIES, most)
                if sample.metric.name == "fusionsolar_alarm_active"
            ]
            assert ids == ["c", "e", "f", "d", "g", "b", "a"][:most]


def test_nothing_has_series_where_none_are_allowed():
    world = World(severities=SEVERITIES, max_active_per_plant=0)
    world.fleet(HILL)
    world.show_alarms({"HILL": ([FAULT], [FAULT])})
    assert named_alarms(world) == []
    assert by_severity(world, "alarms_active") == {"major": 1.0}
    assert list(world.series("fusionsolar_alarms_left_out").values()) == [1.0]


def test_of_configured_severities_there_are_no_others():
    world = World(severities=("warning", "critical"))
    world.fleet(HILL)
    alarms = [FAULT, alarm(severity="critical"), alarm(severity="unknown")]
    world.show_alarms({"HILL": (alarms, alarms)})
    assert by_severity(world, "alarms_total") == {"critical": 1.0}
    severities = {
        series.split("severity=")[1][:-1] for series in world.series("fusionsolar_alarm") if
        "severity=" in series
    }  # fmt: skip
    assert severities == {"critical", "warning"}
    assert list(world.series("fusionsolar_alarms_left_out").values()) == [0.0]


def test_of_accounts_whose_alarms_nobody_asks_for_there_is_no_series():
    world = World()
    world.fleet(HILL)
    assert world.series("fusionsolar_alarm") == {}


def test_a_plant_that_is_gone_takes_its_alarms_along(world):
    world.show_alarms({"HILL": ([FAULT], [FAULT]), "MILL": ([FAULT], [FAULT])})
    world.fleet(MILL)
    assert {s.split("plant_code=")[1][:4] for s in world.series("fusionsolar_alarm")} == {"MILL"}
    world.fleet(HILL, MILL)
    assert by_severity(world, "alarms_total") == {}
    assert by_severity(world, "alarms_total", "MILL") == {"major": 1.0}


def test_alarms_stay_where_they_are_while_devices_come_and_go(world):
    world.show_alarms({"HILL": ([FAULT], [FAULT])})
    before = world.series("fusionsolar_alarm")
    world.fleet(HILL, MILL, Device("1", "HILL", 1, name="Roof", serial_number="SN1"))
    world.fleet(Plant("HILL", "Castle hill"), MILL, Device("1", "MILL", 1))
    assert world.series("fusionsolar_alarm") == before


def test_alarms_of_an_unknown_plant_are_not_shown(world):
    world.show_alarms({"BARN": ([FAULT], [FAULT])})
    assert [series for series in world.series() if "BARN" in series] == []


def test_alarms_leave_a_plants_values_alone(world):
    world.answer(PLANTS, ["HILL"], {"HILL": {"day_power": 1.0}})
    before = world.series("fusionsolar_plant")
    world.epoch += 60
    world.show_alarms({"HILL": ([FAULT], [])})
    assert world.series("fusionsolar_plant") == before


texts = st.sampled_from(["", "a", "b", '"', "\n"])
any_alarm = st.builds(
    Alarm,
    plant_code=st.just("HILL"),
    serial_number=texts,
    alarm_id=texts,
    cause_id=texts,
    raised=st.sampled_from([0.0, 1.0, 1_750_798_800.5]),
    name=texts,
    device_name=texts,
    severity=st.sampled_from(SEVERITIES),
    type=st.sampled_from(["exception", "unknown"]),
    status=st.none() | st.integers(-1, 7),
)


@given(st.lists(any_alarm, max_size=12), st.integers(0, 5), st.randoms())
def test_whatever_is_active_the_order_of_the_answer_does_not_matter(alarms, most, random):
    identities = {
        (a.serial_number, a.alarm_id, a.cause_id, a.raised): a for a in alarms
    }  # as of the poller: each occurrence once
    alarms = list(identities.values())
    expected = active(alarms, SEVERITIES, most)
    random.shuffle(alarms)
    assert active(alarms, SEVERITIES, most) == expected
    own = [s.labels for s in expected if s.metric.name == "fusionsolar_alarm_active"]
    assert len(set(own)) == len(own) <= most
    alike = {(a.device_name, a.serial_number, a.alarm_id, a.name, a.severity, a.type)
             for a in alarms}  # fmt: skip
    assert list(expected.values())[-1] == len(alike) - len(own)
