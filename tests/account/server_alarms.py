"""Alarms as a management system has them: raised, seen late, acknowledged, cleared, listed."""

from dataclasses import dataclass
from math import inf

from exporter.northbound.records import Alarm

DAY = 86_400.0
LANGUAGES = {"zh_CN", "en_UK", "ja_JP", "it_IT", "nl_NL", "pt_BR", "de_DE", "fr_FR", "es_ES"}


@dataclass
class ServerAlarm:
    """One occurrence; all times are seconds since the epoch."""

    plant: str
    serial: str
    alarm_id: int
    cause_id: int
    raised: float
    visible: float  # from when on the server knows of it
    cleared: float = inf
    acknowledged: float = inf
    lingers: float = 0.0  # how long it is listed as cleared
    level: int = 2
    kind: int = 2
    form: str = "numbers"  # or "text", or "bare": without a status, as newer servers

    def listed(self, now):
        return self.visible <= now < self.cleared + self.lingers

    def active(self, now):
        return self.visible <= now < self.cleared

    def item(self, now):
        """As it stands in an answer."""
        status = 6 if now >= self.cleared else 2 if now >= self.acknowledged else 1
        item = {
            "alarmId": self.alarm_id,
            "causeId": self.cause_id,
            "raiseTime": round(self.raised * 1_000),
            "lev": self.level,
            "alarmType": self.kind,
            "status": status,
        }
        if self.form == "text":
            item = {key: str(value) for key, value in item.items()}
        if self.form == "bare":
            del item["status"]
            item["recoveryTime"] = round(self.cleared * 1_000) if status == 6 else None
        return item | {
            "stationCode": self.plant,
            "esnCode": self.serial,
            "alarmName": f"alarm {self.alarm_id}",
            "devName": f"device {self.serial}",
            "alarmCause": "a long text",
            "repairSuggestion": "a longer text",
        }

    def record(self, now):
        """As the parser hands it on."""
        status = 6 if now >= self.cleared else 2 if now >= self.acknowledged else 1
        return Alarm(
            self.plant,
            self.serial,
            str(self.alarm_id),
            str(self.cause_id),
            self.raised,
            status=status,
            active=status < 4,
        )

    @property
    def key(self):
        """What tells it from every other."""
        return self.plant, self.serial, str(self.alarm_id), str(self.cause_id), self.raised


def key_of(alarm):
    """The same of a record."""
    return alarm.plant_code, alarm.serial_number, alarm.alarm_id, alarm.cause_id, alarm.raised


def refusal(begin, end, now):
    """The failCode for a span that the reference and its later editions do not allow, if any."""
    if end < begin:
        return "20023"
    if begin < now - 365 * DAY:
        return "20026"
    if end - begin > 31 * DAY:
        return "20027"
    return None
