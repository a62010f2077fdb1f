"""The exporter itself: are calls spent well, and is what it shows fresh?"""

from grafana.source import states
from grafana.source.boards import ACCOUNT, Line, dashboard
from grafana.source.panels import (
    NONE_IS_GOOD,
    SOME_IS_ODD,
    STALE,
    Query,
    curves,
    stat,
    timeline,
)
from grafana.source.promql import age, of_account
from grafana.source.tables import Column, each, table

REQUESTS = of_account("api_requests_total")
LIMITED = of_account("api_rate_limited_total")
FAILURES = of_account("api_request_failures_total")
PACE = of_account("interface_pace_seconds")
LAST = of_account("interface_last_success_timestamp_seconds")
# Of six hours, or of as long as it is counted: in one, a list is called once or twice, well paced
# or not.
USED = f"increase({REQUESTS}[6h]) / (15 * count_over_time({REQUESTS}[6h:15s])) * {PACE}"
SCRAPED = '{job=~"$job", instance=~"$instance"}'


def _by(label: str, expression: str) -> str:
    return f"sum by ({label}) ({expression})"


def _daily_increase(labels: str, counter: str) -> str:
    """How much a counter grew in a day; nothing where it did not."""
    return f"{_by(labels, f'increase({of_account(counter)}[1d])')} > 0"


def _quantile(share: float) -> str:
    duration = of_account("api_request_duration_seconds_bucket")
    return f"histogram_quantile({share}, {_by('le', f'rate({duration}[$__rate_interval])')})"


def _interface(expression: str) -> str:
    return _by("account, interface", expression)


NOW = Line(
    4,
    (4, stat(
        "Accounts up", "Accounts to which the management system talks, of all.",
        f"avg({of_account('up')})", "percentunit", steps=((None, "red"), (1, "green")), decimals=0,
    )),
    (4, stat(
        "Refused, 24 h", "Calls refused for their frequency.",
        f"sum(increase({LIMITED}[1d]))", steps=NONE_IS_GOOD, decimals=0,
    )),
    (4, stat(
        "Failed, 24 h", "Calls that brought no data, for whatever reason.",
        f"sum(increase({FAILURES}[1d]))", steps=SOME_IS_ODD, decimals=0,
    )),
    (4, stat(
        "Sessions lost, 24 h",
        "Sessions lost to another program that logs in to the same account.",
        f"sum(increase({of_account('api_sessions_lost_total')}[1d]))", steps=NONE_IS_GOOD,
        decimals=0,
    )),
    (4, stat(
        "Not permitted", "Interfaces that are asked for and refused to the account.",
        f"sum({of_account('interface_permitted')} == bool 0)", steps=NONE_IS_GOOD,
    )),
    (4, stat(
        "Oldest device", "Time since values of a device last came, for the one that waits longest.",
        f"max({age(of_account('device_last_reading_timestamp_seconds'))})", "s", steps=STALE,
        decimals=0,
    )),
)  # fmt: skip

INTERFACES = Line(
    20,
    (24, table(
        "Interfaces",
        "Each interface: the calls of six hours as a share of those that its pace allows, and "
        "what came of them. An interface that is wanted less often than it might be called stays "
        "below its share; none should stay above it.",
        {"interface": "Interface", "account": "Account"},
        *each(
            _interface,
            Column(
                "Allowance used", USED, "percentunit", 0, bar=1, width=150,
            ),
            Column("Calls, 1 h", f"increase({REQUESTS}[1h])", "none", 0),
            Column("Pace", PACE, "s", 0),
            Column("Round", of_account("interface_walk_seconds"), "s", 0),
            Column("Last success", age(LAST), "s", 0),
            Column("Refused, 24 h", f"increase({LIMITED}[1d])", "none", 0, NONE_IS_GOOD, width=115),
            Column("Failed, 24 h", f"increase({FAILURES}[1d])", "none", 0, SOME_IS_ODD, width=115),
            Column("Unanswered", of_account("devices_unanswered"), "none", 0, SOME_IS_ODD),
            Column("Permission", of_account("interface_permitted"), states=states.PERMISSION),
        ),
        sort={"Interface": False},
    )),
)  # fmt: skip

CALLS = Line(
    10,
    (12, curves(
        "Calls", "HTTP requests to the management system per minute.",
        Query(f"60 * {_by('interface', f'rate({REQUESTS}[$__rate_interval])')}", "{{interface}}"),
        unit="none", stacked=True, floor=0, legend="right",
    )),
    (12, curves(
        "Age of answers", "Time since each interface last gave a proper answer.",
        Query(f"max by (interface) ({age(LAST)})", "{{interface}}"),
        unit="s", floor=0, fill=0, legend="right",
    )),
)  # fmt: skip

TROUBLE = Line(
    8,
    (8, curves(
        "Failures", "Requests that brought no data, per minute, by failCode or kind.",
        Query(
            f"60 * {_by('interface, reason', f'rate({FAILURES}[$__rate_interval])')} > 0",
            "{{interface}}: {{reason}}",
        ),
        unit="none", stacked=True, bars=True, floor=0,
    )),
    (8, curves(
        "Unanswered", "Plants or devices about which the last calls brought nothing.",
        Query(f"{_by('interface', of_account('devices_unanswered'))} > 0", "{{interface}}"),
        unit="short", stacked=True, bars=True, floor=0,
    )),
    (8, curves(
        "Duration", "From a request's start to its answer's end: median and 95th percentile.",
        *(Query(_quantile(share), name) for share, name in ((0.5, "median"), (0.95, "95 %"))),
        unit="s", floor=0, fill=0,
    )),
)  # fmt: skip

ODDITIES = Line(
    6,
    (8, table(
        "Rejected values", "Values and items that could not be used in 24 hours, by reason.",
        {"interface": "Interface", "reason": "Reason"},
        Column("24 h", _daily_increase("interface, reason", "values_rejected_total"), "none", 0),
        sort={"24 h": True},
    ).no_value("none")),
    (8, table(
        "Unknown keys",
        "Values whose key the exporter does not know, in 24 hours. Its log names each key once: "
        "please report it.",
        {"interface": "Interface"},
        Column("24 h", _daily_increase("interface", "unknown_keys_total"), "none", 0),
        sort={"24 h": True},
    ).no_value("none")),
    (8, table(
        "Unknown states", "State codes without a name in 24 hours, by the metric that shows them.",
        {"metric": "Metric"},
        Column("24 h", _daily_increase("metric", "unknown_states_total"), "none", 0),
        sort={"24 h": True},
    ).no_value("none")),
)  # fmt: skip

PROCESS = Line(
    10,
    (5, timeline(
        "Accounts", "Whether the management system talks to each account.",
        of_account("up"), "{{account}}", states.ANSWERS,
    )),
    (7, curves(
        "Devices", "Known devices, by type.",
        Query(_by("device_type", of_account("devices")), "{{device_type}}"),
        unit="short", stacked=True, floor=0, legend="right",
    )),
    (4, curves(
        "Memory", "Resident memory of the exporter.",
        Query(f"process_resident_memory_bytes{SCRAPED}", "{{instance}}"),
        unit="bytes", floor=0,
    )),
    (4, curves(
        "CPU", "Processor time that the exporter uses, per second.",
        Query(f"rate(process_cpu_seconds_total{SCRAPED}[$__rate_interval])", "{{instance}}"),
        unit="percentunit", floor=0,
    )),
    (4, curves(
        "Scrapes", "How long Prometheus waits for the page; its samples are on the right.",
        Query(f"scrape_duration_seconds{SCRAPED}", "duration", "blue"),
        Query(f"scrape_samples_scraped{SCRAPED}", "samples", "purple", "short"),
        unit="s", floor=0, fill=0,
    )),
)  # fmt: skip

DASHBOARD = dashboard(
    "fusionsolar-exporter",
    "Exporter",
    "Whether calls are spent well, and whether what is shown is fresh.",
    (ACCOUNT,),
    (NOW, INTERFACES, CALLS, TROUBLE, "Rejected and unknown values", ODDITIES, "Process", PROCESS),
)
