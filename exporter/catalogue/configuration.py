"""How plants are configured, as newer servers (24.4 on) tell it: export limit, batteries' mode.

A parameter has a value where the mode that is set has it, and is null elsewhere. One client of the
interface reads the mode of the export limit from a key of its own name.
"""

from exporter.catalogue.tables import Line, SubjectTables, gauge, words
from exporter.northbound.enums import (
    BATTERY_MODE_WORDS,
    EXPORT_LIMIT_MODES,
    EXPORT_LIMIT_SCOPES,
    SURPLUS_PRIORITIES,
)

ALL = (None,)

EXPORT_LIMIT = (
    words("controlMode", ALL, "export_limit_mode", EXPORT_LIMIT_MODES,
          "How a plant's feed-in is limited"),
    words("activePowerControlMode", ALL, "export_limit_mode", EXPORT_LIMIT_MODES,
          fallback_for="controlMode"),
    words("limitationMode", ALL, "export_limit_scope", EXPORT_LIMIT_SCOPES,
          "Whether the export limit holds for all phases together or for each"),

    gauge("maxGridFeedInPowerValue", "kW", ALL, "export_limit_watts",
          "Most power that a plant may feed in, where the limit is a power"),
    gauge("maxGridFeedInPowerPercent", "%", ALL, "export_limit_ratio",
          "Most power that a plant may feed in as a share of its own, where the limit is one"),
)  # fmt: skip

BATTERY_MODE = (
    words("operationMode", ALL, "battery_mode", BATTERY_MODE_WORDS,
          "Rule by which the batteries of a plant are configured to work"),
    words("redundantPVEnergyPriority", ALL, "battery_surplus_priority", SURPLUS_PRIORITIES,
          "Where the surplus of the modules goes first, in the mode of time of use"),

    gauge("allowedAcChargePower", "kW", ALL, "battery_allowed_charge_power_watts",
          "Most power with which the batteries may be charged from the grid, in the mode of time "
          "of use"),
)  # fmt: skip


def _subject(title: str, interface: str, lines: tuple[Line, ...]) -> SubjectTables:
    return SubjectTables("plant", title, {interface: lines})


EXPORT_LIMITS = _subject("Export limits", "active-power-control-mode", EXPORT_LIMIT)
BATTERY_MODES = _subject("Batteries' modes", "battery-mode", BATTERY_MODE)
