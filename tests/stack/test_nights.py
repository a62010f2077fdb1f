"""No alarm by night, at dawn or dusk, on any kind of day anywhere; but one for a fault at noon."""

from itertools import product

import pytest
from prometheus.promtool import ALERTS, ROOT, run_rule_tests
from stack.days import DAYS, LATITUDES, NOON, SEASONS, SKIES, STEPS, Plant, series

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("servers")]

RULES = ROOT / "prometheus" / "rules"
NAMES = (
    "thresholds",
    "names",
    "production",
    "night",
    "siblings",
    "strings",
    "decline",
    "alerts-production",
    "alerts-siblings",
)
FILES = [RULES / f"{name}.yml" for name in NAMES]
WALK = {
    "series": 'fusionsolar_interface_walk_seconds{account="home",interface="getDevRealKpi"}',
    "values": f"300x{STEPS}",
}
END = f"{STEPS * 5}m"
FIRING = 'ALERTS{alertstate="firing"}'
BY_DAY = 'ALERTS{alertstate="firing",alertname!="FusionSolarStringOut"}'
EVENING = NOON + 9 * 3600
AT_NOON, IN_AN_HOUR, IN_THREE_HOURS = (f"{NOON // 60 + minutes}m" for minutes in (0, 45, 180))
# Where in June a fault at noon can be seen: in a winter near the poles the gate stays shut, and in
# any other one, snow may lie in a plant's first week on what did not stop in sunshine. Where the
# place is not known, no season is.
INVERTERS = {"clear": (0, 47, -47, 65), "overcast": (0, 47, 65)}
STRINGS = {("clear", True): (0, 47, 65), ("overcast", True): (0, 47, 65)}
STRINGS |= {("clear", False): (0, 47, -47, 65)}


def plants(season, sky, **kind):
    return [Plant(latitude, season, sky, **kind) for latitude in LATITUDES]


def group(fleet, **tests):
    rows = [row for plant in fleet for row in series(plant)]
    return {"interval": "5m", "input_series": [*rows, WALK], **tests}


def query(expression, when, *samples):
    return {"expr": expression, "eval_time": when, "exp_samples": list(samples)}


def alert(name, when, fleet, device, **labels):
    """The expected alerts of a rule: of each plant the same device."""
    rule = ALERTS[name]
    alerts = []
    for plant in fleet:
        alert_labels = {
            "account": "home",
            "plant_code": plant.code,
            "plant_name": f"Plant {plant.code}",
            "device_id": f"{plant.code}/{device}",
            "device_name": f"Device {device}",
            **labels,
        }
        description = rule["annotations"]["description"]
        for label, value in alert_labels.items():
            description = description.replace(f"{{{{ $labels.{label} }}}}", value)
        alerts.append(
            {
                "exp_labels": {**alert_labels, **rule["labels"]},
                "exp_annotations": {**rule["annotations"], "description": description},
            }
        )
    return {"eval_time": when, "alertname": name, "exp_alerts": alerts}


NOTHING_FIRES = {"promql_expr_test": [query(f"count_over_time({FIRING}[{DAYS}d])", END)]}


def test_no_healthy_plant_raises_an_alarm_by_day_or_night(tmp_path):
    days = product(SEASONS, SKIES)
    tests = (group(plants(season, sky), **NOTHING_FIRES) for season, sky in days)
    run_rule_tests(tmp_path, tests, every="15m", files=FILES)


def test_no_healthy_plant_of_unknown_place_raises_one_either(tmp_path):
    tests = (group(plants("december", sky, placed=False), **NOTHING_FIRES) for sky in SKIES)
    run_rule_tests(tmp_path, tests, every="15m", files=FILES)


def fault_test(sky, *, placed):
    """Plants with faults at noon: they fire not at once but in time; by night only dead strings."""
    fleet = plants("june", sky, placed=placed, faults=True)
    latitudes = STRINGS[sky, placed]
    alerts = [
        *(
            alert("FusionSolarInverterSilent", when, detectable(fleet, INVERTERS[sky], when), "c")
            for when in (AT_NOON, IN_AN_HOUR)
        ),
        *(
            alert("FusionSolarStringOut", when, detectable(fleet, latitudes, when), "a", string="2")
            for when in (AT_NOON, IN_THREE_HOURS)
        ),
    ]
    early = query(f"min_over_time(({FIRING} * time())[{DAYS}d:15m]) < {NOON}", END)
    ends = 'ALERTS{alertstate="firing",alertname!="FusionSolarStringOut"}'  # which lasts as it does
    late = query(
        f"count_over_time(({ends} and on () vector(time()) > {EVENING})[{DAYS}d:15m])", END
    )
    return group(fleet, alert_rule_test=alerts, promql_expr_test=[early, late])


def detectable(fleet, latitudes, when):
    """The plants of which an alert fires by then: none at noon, when the fault begins."""
    return [plant for plant in fleet if plant.latitude in latitudes and when != AT_NOON]


def test_a_fault_at_noon_fires_in_time_and_only_by_day(tmp_path):
    tests = [
        fault_test("clear", placed=True),
        fault_test("overcast", placed=True),
        fault_test("clear", placed=False),
    ]
    run_rule_tests(tmp_path, tests, every="15m", files=FILES)
