"""What is wrong now, since when, and is it more than usual?"""

from grafana.source import states
from grafana.source.boards import ACCOUNT, PLANTS, Line, dashboard, link
from grafana.source.panels import Query, colored_series, curves, ranking, stat
from grafana.source.promql import increase_of, of_plants, per_plant, with_account, with_plant
from grafana.source.tables import Column, table

ACTIVE = of_plants("alarms_active")
IDENTITY = "plant_code, device_name, serial_number, alarm_id, alarm_name, severity, alarm_type"
SERIOUS = 'severity=~"critical|major"'


def _each(expression: str) -> str:
    return with_plant(f"max by ({IDENTITY}) ({expression})")


def _new(days: int) -> str:
    """Alarms seen for the first time in so many days."""
    return increase_of(of_plants, "alarms_total", f"{days}d")


def _active(severity: str) -> str:
    matcher = f'severity="{severity}"'
    return f"sum({of_plants('alarms_active', matcher)})"


NOW = Line(
    4,
    *(
        (4, stat(
            f"Active: {severity}", f"Alarms of severity {severity} that are active now.",
            _active(severity), steps=((None, "green"), (1, states.SEVERITY_COLORS[severity])),
        ))
        for severity in states.SEVERITIES
    ),
    (4, stat(
        "New in 24 hours", "Alarms seen for the first time.",
        f"sum({_new(1)})", decimals=0,
    )),
    (4, stat(
        "Affected plants", "Plants with a critical or major alarm.",
        f"count(sum by (plant_code) ({of_plants('alarms_active', SERIOUS)}) > 0)",
    )),
)  # fmt: skip

LIST = Line(
    11,
    (24, table(
        "Active alarms",
        "Every active alarm, the newest first. Those that look alike are one line, raised when "
        "the first of them was.",
        {"severity": "Severity", "alarm_name": "Alarm", "plant_name": "Plant",
         "device_name": "Device", "serial_number": "Serial number", "alarm_type": "Type",
         "alarm_id": "Id", "account": "Account", "plant_code": ""},
        Column(
            "Raised", _each(f"{of_plants('alarm_raised_timestamp_seconds')} * 1000"),
            "dateTimeAsIso", width=180,
        ),
        Column(
            "For", _each(f"time() - {of_plants('alarm_raised_timestamp_seconds')}"), "s", 0,
        ),
        Column(
            "Status", with_account(_each(of_plants("alarm_status_code"))), states=states.ALARM,
            width=120,
        ),
        sort={"Raised": True},
        widths={"severity": 90, "alarm_name": 280, "device_name": 150, "serial_number": 140,
                "alarm_type": 120, "alarm_id": 80, "account": 100},
        links={"plant_name": link("fusionsolar-plant", plant="${__data.fields.plant_code}")},
        colors={"severity": states.SEVERITY_COLORS},
    )),
)  # fmt: skip

PAST = Line(
    8,
    (12, colored_series(
        curves(
            "Active over time", "Alarms that are active, by severity.",
            Query(f"sum by (severity) ({ACTIVE})", "{{severity}}"),
            unit="short", stacked=True, floor=0,
        ),
        states.SEVERITY_COLORS,
    )),
    (12, colored_series(
        curves(
            "New per day",
            "Alarms seen for the first time, by severity, in the 24 hours before each bar.",
            Query(f"sum by (severity) ({_new(1)}) > 0", "{{severity}}"),
            unit="short", stacked=True, bars=True, floor=0, daily=True,
        ),
        states.SEVERITY_COLORS,
    )),
)  # fmt: skip

WHERE = Line(
    8,
    (12, ranking(
        "Active by plant", "Plants with active alarms, most first.",
        f"sort_desc({with_plant(per_plant(ACTIVE))} > 0)", "{{plant_name}}", "short",
    )),
    (12, ranking(
        "New by plant in 7 days", "Alarms seen for the first time, most first.",
        f"sort_desc({with_plant(per_plant(f'round({_new(7)})'))} > 0)",
        "{{plant_name}}", "short",
    )),
)  # fmt: skip

DASHBOARD = dashboard(
    "fusionsolar-alarms",
    "Alarms",
    "What is wrong now, since when, and whether it is more than usual.",
    (ACCOUNT, PLANTS),
    (NOW, LIST, PAST, WHERE),
)
