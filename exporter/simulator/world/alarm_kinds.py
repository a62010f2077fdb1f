"""What devices raise alarms about: one row a kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.northbound.device_types import REALTIME_TYPES
from exporter.simulator.world.fleet import BATTERIES, INVERTERS

CRITICAL, MAJOR, MINOR, WARNING = 1, 2, 3, 4
TRANSPOSITION, EXCEPTION, PROTECTION, NOTIFICATION, INFORMATION = 1, 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of alarm (reference 2.16); `names` are those in other languages than English."""

    alarm_id: int
    name: str
    level: int = MAJOR
    type: int = EXCEPTION
    cause_id: int = 1
    cause: str = ""
    suggestion: str = ""
    device_types: frozenset[int] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)


KINDS: Mapping[int, Kind] = {
    kind.alarm_id: kind
    for kind in (
        Kind(65534, "Device communication interruption", MAJOR, EXCEPTION,
             cause="1. The device is off.\n2. The cable to the data logger is loose.",
             suggestion="1. Switch the device on.\n2. Check the cable and its terminals.\n\n"
             "Over a mobile network: check the signal at the antenna.",
             device_types=REALTIME_TYPES,
             names={"de_DE": "Gerätekommunikation unterbrochen", "zh_CN": "设备通信中断"}),
        Kind(2032, "Grid Loss", MAJOR, PROTECTION,
             cause="1. The grid has failed.\n2. The AC breaker is open.",
             suggestion="1. Wait for the grid.\n2. Close the AC breaker.",
             device_types=INVERTERS,
             names={"de_DE": "Netzausfall", "zh_CN": "电网掉电"}),
        Kind(2062, "Low Insulation Resistance", MAJOR, EXCEPTION,
             cause="A string touches ground, or the modules are wet.",
             suggestion="1. Measure each string against ground.\n2. Replace damaged cables.",
             device_types=INVERTERS,
             names={"de_DE": "Isolationswiderstand gering", "zh_CN": "绝缘阻抗低"}),
        Kind(2012, "String Current Backfeed", WARNING, EXCEPTION, cause_id=3,
             cause="String 3 has fewer modules than the others of its tracker.",
             suggestion="Compare the numbers of modules.", device_types=INVERTERS,
             names={"de_DE": "Rückstrom im Strang", "zh_CN": "组串电流反灌"}),
        Kind(2064, "Device Fault", CRITICAL, EXCEPTION, cause_id=13,
             cause="A circuit inside the device has failed for good.",
             suggestion="Switch the device off, wait five minutes, switch it on.\n"
             "If the alarm comes back, call the service.",
             device_types=INVERTERS | BATTERIES,
             names={"de_DE": "Gerätefehler", "zh_CN": "设备异常"}),
        Kind(3012, "Battery Over-temperature", MINOR, PROTECTION,
             cause="The battery stands in the sun, or its vents are covered.",
             suggestion="Give it air.", device_types=BATTERIES,
             names={"de_DE": "Batterie zu warm", "zh_CN": "电池过温"}),
        Kind(1105, "Transformer Door Open", MINOR, TRANSPOSITION,
             cause="Somebody is at work, or the lock is worn.",
             suggestion="Close the door.", device_types=frozenset({8}),
             names={"de_DE": "Transformatortür offen", "zh_CN": "箱变门打开"}),
        Kind(1200, "License Expires Soon", WARNING, NOTIFICATION,
             cause="30 days are left.", suggestion="Renew the license.",
             device_types=frozenset({2, 62}),
             names={"de_DE": "Lizenz läuft bald ab", "zh_CN": "许可证即将到期"}),
        Kind(1300, "Clock Adjusted", WARNING, INFORMATION,
             cause="The logger has set its clock by the server.", device_types=frozenset({2, 62}),
             names={"de_DE": "Uhr gestellt", "zh_CN": "时间已校准"}),
    )
}  # fmt: skip
