"""Upgrades of string inverters (1) and smart energy centers (38); reference 2.15."""

from exporter.catalogue.tables import SubjectTables, gauge, stateset
from exporter.northbound.enums import UPGRADE_RESULTS

ALL = (1, 38)

RECORD = (
    stateset("upgradeResult", ALL, "upgrade_state", UPGRADE_RESULTS,
             "State of a device's last upgrade"),

    gauge("process",         "%",  ALL, "upgrade_progress_ratio",
          "Progress of a device's last upgrade"),
    gauge("lastUpgradeTime", "ms", ALL, "upgrade_timestamp_seconds",
          "When a device was last upgraded"),
)  # fmt: skip

SUBJECT = SubjectTables("device", "Upgrades", {"getDevUpgradeInfo": RECORD})
