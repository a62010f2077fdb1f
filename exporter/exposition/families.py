"""The metric families that come from no key of an answer: inventory, alarms, self-metrics."""

from collections.abc import Mapping

from exporter.catalogue.model import Kind, Metric
from exporter.northbound.interfaces import Subject

# --- plants and devices -------------------------------------------------------------------------

ACCOUNT_INFO = Metric(
    "fusionsolar_account_info",
    Kind.INFO,
    "The currency of an account's revenues as configured, empty if it is not.",
    labels=("currency",),
)
PLANT_INFO = Metric(
    "fusionsolar_plant_info",
    Kind.INFO,
    "A plant's name, build state and kind of grid connection, from the plant list.",
    labels=("plant_name", "build_state", "connection_type"),
)
CAPACITY = Metric(
    "fusionsolar_plant_capacity_watts",
    Kind.GAUGE,
    "Installed capacity of a plant, from the plant list.",
    unit="watts",
)
LATITUDE = Metric(
    "fusionsolar_plant_latitude_degrees",
    Kind.GAUGE,
    "Latitude of a plant to three decimals, north positive: configured, listed, or the mean of "
    "its devices'.",
    unit="degrees",
)
LONGITUDE = Metric(
    "fusionsolar_plant_longitude_degrees",
    Kind.GAUGE,
    "Longitude of a plant to three decimals, east positive: configured, listed, or the mean of "
    "its devices'.",
    unit="degrees",
)
SUN_ELEVATION = Metric(
    "fusionsolar_plant_sun_elevation_degrees",
    Kind.GAUGE,
    "Elevation of the sun above the horizon at a plant whose place is known, negative at night; "
    "calculated by the exporter, at most a minute old.",
    unit="degrees",
)
CLEAR_SKY_IRRADIANCE = Metric(
    "fusionsolar_plant_clear_sky_irradiance_watts_per_square_meter",
    Kind.GAUGE,
    "Global horizontal irradiance under a clear sky at a plant whose place is known; calculated "
    "by the exporter from the sun's elevation, at most a minute old.",
    unit="watts_per_square_meter",
)
DEVICE_INFO = Metric(
    "fusionsolar_device_info",
    Kind.INFO,
    "A device's name, type, model, serial number and software version, from the device list.",
    labels=("device_name", "device_type", "model", "serial_number", "software_version"),
)
PLANT_LAST_READING = Metric(
    "fusionsolar_plant_last_reading_timestamp_seconds",
    Kind.GAUGE,
    "When an answer last held values of this plant.",
    unit="seconds",
)
DEVICE_LAST_READING = Metric(
    "fusionsolar_device_last_reading_timestamp_seconds",
    Kind.GAUGE,
    "When the last values of this device were measured, where the answer tells it; "
    "otherwise when an answer last held values of it.",
    unit="seconds",
)
UPGRADE_INFO = Metric(
    "fusionsolar_device_upgrade_info",
    Kind.INFO,
    "The software versions before and after a device's last upgrade.",
    labels=("source_version", "target_version"),
)
PLANT_UNKNOWN_VALUE = Metric(
    "fusionsolar_plant_unknown_value",
    Kind.GAUGE,
    "A number of a plant under a key that the exporter does not know, raw as it was sent; only "
    "with the setting unknown_keys on export.",
    labels=("key",),
)
DEVICE_UNKNOWN_VALUE = Metric(
    "fusionsolar_device_unknown_value",
    Kind.GAUGE,
    "A number of a device under a key that the exporter does not know, raw as it was sent; only "
    "with the setting unknown_keys on export.",
    labels=("key",),
)
UNKNOWN_VALUES: Mapping[Subject, Metric] = {
    Subject.PLANTS: PLANT_UNKNOWN_VALUE,
    Subject.DEVICES: DEVICE_UNKNOWN_VALUE,
}

# --- expected power -----------------------------------------------------------------------------

INVERTER_EXPECTED = Metric(
    "fusionsolar_inverter_expected_power_watts",
    Kind.GAUGE,
    "DC power that an inverter gives under a clear sky at the hour and season of its last answer, "
    "learned from its own best recent days; absent while that is not known.",
    unit="watts",
)
STRING_EXPECTED = Metric(
    "fusionsolar_inverter_string_expected_power_watts",
    Kind.GAUGE,
    "Power that a string gives under a clear sky at the hour and season of its inverter's last "
    "answer, learned from its own best recent days; absent while that is not known.",
    unit="watts",
    labels=("string",),
)
PLANT_EXPECTED = Metric(
    "fusionsolar_plant_expected_power_watts",
    Kind.GAUGE,
    "DC power that all inverters of a plant give together under a clear sky; absent while that of "
    "one of them is not known.",
    unit="watts",
)
EXPECTED_LEARNED = Metric(
    "fusionsolar_inverter_expected_power_learned_seconds",
    Kind.GAUGE,
    "What an inverter's expected power rests on: the recent days that it was learned from, of "
    "86400 seconds each; nothing is expected before there are seven.",
    unit="seconds",
)
EXPECTED = (INVERTER_EXPECTED, STRING_EXPECTED, PLANT_EXPECTED, EXPECTED_LEARNED)

# --- alarms -------------------------------------------------------------------------------------

_SEVERITY = ("severity",)
_ALARM = ("device_name", "serial_number", "alarm_id", "alarm_name", "severity", "alarm_type")

ALARMS_TOTAL = Metric(
    "fusionsolar_alarms_total",
    Kind.COUNTER,
    "Alarms of a plant seen for the first time; those already active at the first look do not "
    "count.",
    labels=_SEVERITY,
)
ALARMS_ACTIVE = Metric(
    "fusionsolar_alarms_active",
    Kind.GAUGE,
    "Alarms of a plant that are active now.",
    labels=_SEVERITY,
)
ALARM_ACTIVE = Metric(
    "fusionsolar_alarm_active",
    Kind.GAUGE,
    "An alarm that is active now, acknowledged or not: always 1.",
    labels=_ALARM,
)
ALARM_RAISED = Metric(
    "fusionsolar_alarm_raised_timestamp_seconds",
    Kind.GAUGE,
    "When an active alarm was raised; of several alike, the first of them.",
    unit="seconds",
    labels=_ALARM,
)
ALARM_STATUS = Metric(
    "fusionsolar_alarm_status_code",
    Kind.GAUGE,
    "How far an active alarm is handled, as the code that was sent: 1 not at all, "
    "2 acknowledged, 3 being handled.",
    labels=_ALARM,
)
ALARMS_LEFT_OUT = Metric(
    "fusionsolar_alarms_left_out",
    Kind.GAUGE,
    "Active alarms of a plant that have no series of their own, as it has more of them than are "
    "shown.",
)
ALARMS = (
    ALARMS_TOTAL,
    ALARMS_ACTIVE,
    ALARM_ACTIVE,
    ALARM_RAISED,
    ALARM_STATUS,
    ALARMS_LEFT_OUT,
)

# All metrics that neither come from the catalogue nor are the exporter's own.
INVENTORY = (
    ACCOUNT_INFO,
    PLANT_INFO,
    CAPACITY,
    LATITUDE,
    LONGITUDE,
    SUN_ELEVATION,
    CLEAR_SKY_IRRADIANCE,
    DEVICE_INFO,
    PLANT_LAST_READING,
    DEVICE_LAST_READING,
    UPGRADE_INFO,
    PLANT_UNKNOWN_VALUE,
    DEVICE_UNKNOWN_VALUE,
    *EXPECTED,
    *ALARMS,
)

# --- the exporter itself ------------------------------------------------------------------------

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
    "Whether the last attempt to load the configuration succeeded.",
)
RELOAD_TIMESTAMP = Metric(
    "fusionsolar_exporter_config_last_reload_success_timestamp_seconds",
    Kind.GAUGE,
    "When the configuration was last loaded successfully.",
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
    "Whether the last attempt to write the state of this account succeeded; absent where the "
    "configuration says to keep none.",
    labels=ACCOUNT,
)
ACCOUNT_HELD = Metric(
    "fusionsolar_exporter_account_held",
    Kind.GAUGE,
    "Whether this replica holds the account and makes its calls; for each account of the "
    "configuration, where state is in a database.",
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
    "Planned time for one walk, a full poll cycle of the interface over the whole fleet.",
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
    "Plants that the exporter polls.",
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
    ACCOUNT_HELD,
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
