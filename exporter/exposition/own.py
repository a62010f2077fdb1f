"""What the exporter tells of itself: its build, its calls, its fleet, and what was of no use."""

from exporter.catalogue.model import Kind, Metric

ACCOUNT = ("account",)
INTERFACE = ("account", "interface")

BUILD = Metric(
    "fusionsolar_exporter_build_info",
    Kind.GAUGE,
    "The exporter's version and the Python it runs on.",
    labels=("version", "python_version"),
)
RELOAD_SUCCESSFUL = Metric(
    "fusionsolar_exporter_config_last_reload_successful",
    Kind.GAUGE,
    "Whether the configuration could be read when it was last to be.",
)
RELOAD_TIMESTAMP = Metric(
    "fusionsolar_exporter_config_last_reload_success_timestamp_seconds",
    Kind.GAUGE,
    "When the configuration was last read successfully.",
    unit="seconds",
)
ERRORS = Metric(
    "fusionsolar_exporter_errors_total",
    Kind.COUNTER,
    "Bugs of the exporter that it survived, by the part of it that raised; the log has each.",
    labels=("part",),
)
STATE_WRITABLE = Metric(
    "fusionsolar_exporter_state_writable",
    Kind.GAUGE,
    "Whether what should survive a restart of this account could be written when it was last to "
    "be; absent where the configuration declines to keep anything.",
    labels=ACCOUNT,
)
UP = Metric(
    "fusionsolar_up",
    Kind.GAUGE,
    "Whether the management system talks to this account: 1 from a successful login on, "
    "0 while it cannot log in or after three calls in a row without a proper answer.",
    labels=ACCOUNT,
)
LOGINS = Metric(
    "fusionsolar_api_logins_total",
    Kind.COUNTER,
    "Logins tried, successful or not.",
    labels=ACCOUNT,
)
SESSIONS_LOST = Metric(
    "fusionsolar_api_sessions_lost_total",
    Kind.COUNTER,
    "Sessions lost again within ten minutes of the login that followed a loss: another "
    "program uses the account.",
    labels=ACCOUNT,
)
REQUESTS = Metric(
    "fusionsolar_api_requests_total",
    Kind.COUNTER,
    "HTTP requests made to the management system, the failed ones included.",
    labels=INTERFACE,
)
FAILURES = Metric(
    "fusionsolar_api_request_failures_total",
    Kind.COUNTER,
    "HTTP requests that brought no data, by failCode or kind of failure.",
    labels=(*INTERFACE, "reason"),
)
DURATIONS = Metric(
    "fusionsolar_api_request_duration_seconds",
    Kind.HISTOGRAM,
    "Time from the start of an HTTP request to the end of its answer.",
    unit="seconds",
    labels=INTERFACE,
)
RATE_LIMITED = Metric(
    "fusionsolar_api_rate_limited_total",
    Kind.COUNTER,
    "HTTP requests refused for their frequency: failCode 407, HTTP 403 or 429.",
    labels=INTERFACE,
)
PERMITTED = Metric(
    "fusionsolar_interface_permitted",
    Kind.GAUGE,
    "Whether the account may call the interface, as far as its last answer tells: "
    "0 after failCode 401.",
    labels=INTERFACE,
)
PACE = Metric(
    "fusionsolar_interface_pace_seconds",
    Kind.GAUGE,
    "Planned time from one call of the interface to the next.",
    unit="seconds",
    labels=INTERFACE,
)
WALK = Metric(
    "fusionsolar_interface_walk_seconds",
    Kind.GAUGE,
    "Planned time for one walk of the interface over the whole fleet.",
    unit="seconds",
    labels=INTERFACE,
)
LAST_SUCCESS = Metric(
    "fusionsolar_interface_last_success_timestamp_seconds",
    Kind.GAUGE,
    "When the interface last gave a proper answer.",
    unit="seconds",
    labels=INTERFACE,
)
UNANSWERED = Metric(
    "fusionsolar_devices_unanswered",
    Kind.GAUGE,
    "Plants or devices about which the last calls brought nothing: left out of the "
    "answer, silent, or in a batch that failed.",
    labels=INTERFACE,
)
REJECTED = Metric(
    "fusionsolar_values_rejected_total",
    Kind.COUNTER,
    "Values and items that could not be used, by reason.",
    labels=(*INTERFACE, "reason"),
)
UNKNOWN_KEYS = Metric(
    "fusionsolar_unknown_keys_total",
    Kind.COUNTER,
    "Values whose key the exporter does not know; the log names each key once.",
    labels=INTERFACE,
)
UNKNOWN_STATES = Metric(
    "fusionsolar_unknown_states_total",
    Kind.COUNTER,
    "State codes without a name, by the metric that shows them as unknown.",
    labels=(*ACCOUNT, "metric"),
)
PLANTS = Metric(
    "fusionsolar_plants",
    Kind.GAUGE,
    "Plants that the exporter walks.",
    labels=ACCOUNT,
)
DEVICES = Metric(
    "fusionsolar_devices",
    Kind.GAUGE,
    "Devices known in those plants, by type.",
    labels=(*ACCOUNT, "device_type"),
)
# All of them.
OWN = (
    BUILD,
    RELOAD_SUCCESSFUL,
    RELOAD_TIMESTAMP,
    ERRORS,
    STATE_WRITABLE,
    UP,
    LOGINS,
    SESSIONS_LOST,
    REQUESTS,
    FAILURES,
    DURATIONS,
    RATE_LIMITED,
    PERMITTED,
    PACE,
    WALK,
    LAST_SUCCESS,
    UNANSWERED,
    REJECTED,
    UNKNOWN_KEYS,
    UNKNOWN_STATES,
    PLANTS,
    DEVICES,
)
