"""What the management system answers: the shapes of the reference, and what it refuses."""

from collections import Counter
from math import ceil
from zoneinfo import ZoneInfo

from account.calendars import period, periods
from account.server_alarms import refusal

from exporter.northbound.errors import fail_code_error

UTC = ZoneInfo("UTC")
FIVE_MINUTES = 300
MAX_DEVICES = {"classic": 1_000, "v6": 1_000, "v25": 100, "safe": 100}  # of a call's plants


class Answers:
    """The answers of a server; `plants`, `devices` and the clock are the server's."""

    def answer_getStationList(self, _):  # noqa: N802
        return [{"stationCode": code, "stationName": code, **p} for code, p in self.plants.items()]

    def answer_stations(self, body):
        size, page = body["pageSize"], body["pageNo"]
        codes = list(self.plants)
        return {
            "list": [
                {"plantCode": code, "plantName": code}
                for code in codes[(page - 1) * size : page * size]
            ],
            "pageNo": page,
            "pageCount": ceil(len(codes) / size),
        }

    def answer_getDevList(self, body):  # noqa: N802
        codes = set(self._plants_asked(body))
        return [
            {"id": i, "devName": f"d{i}", **device}
            for i, device in self.devices.items()
            if device["stationCode"] in codes
        ]

    def answer_getStationRealKpi(self, body):  # noqa: N802
        codes = self._plants_asked(body)
        return [{"stationCode": code, "dataItemMap": {"day_power": 1.0}} for code in codes]

    def answer_getDevRealKpi(self, body):  # noqa: N802
        ids = self._devices_asked(body, 100)
        return [{"devId": int(i), "dataItemMap": {"run_state": 1}} for i in ids]

    def answer_getDevFiveMinutes(self, body):  # noqa: N802
        ids, now = self._devices_asked(body, 20), self.time()
        assert isinstance(body["collectTime"], int)
        start, end = period("Day", UTC, body["collectTime"] / 1_000)
        times = range(round(start), round(min(end, now - self.lag)), FIVE_MINUTES)
        return [
            {"devId": int(i), "collectTime": at * 1_000, "dataItemMap": {"active_power": at}}
            for i in ids
            for at in times
        ]

    def answer_active_power_control_mode(self, body):
        limit = {"limitedPowerGridValueParam": {"maxGridFeedInPowerValue": 5.0}}
        return {"plantCode": body["plantCode"], "controlMode": "limitedPowerGridKW", **limit}

    def answer_battery_mode(self, body):
        return {"plantCode": body["plantCode"], "operationMode": "fullyFidToGrid"}

    def answer_getDevHistoryKpi(self, body):  # noqa: N802
        ids = self._devices_asked(body, 10)
        return [
            {"devId": int(i), "collectTime": at * 1_000, "dataItemMap": {"active_power": at}}
            for i in ids
            for at in self.marks(body, 3)
        ]

    def answer_history(self, body):
        kinds = {d.get("devDn"): d["devTypeId"] for d in self.devices.values()}
        if kinds[body["devDn"]] != body["devTypeId"]:
            self._fail(fail_code_error(20006))
        return {
            "list": [
                {
                    "devDn": body["devDn"],
                    "collectTime": at * 1_000,
                    "dataItems": {"active_power": at},
                }
                for at in self.marks(body, 1)
            ]
        }

    def marks(self, body, days):
        """The times of the rows that a history has, as far as they are known."""
        start, end = body["startTime"] / 1_000, body["endTime"] / 1_000
        assert start < end <= self.time()
        assert end - start <= days * 86_400
        first = ceil(start / FIVE_MINUTES) * FIVE_MINUTES
        return range(first, round(min(end, self.time() - self.lag)), FIVE_MINUTES)

    def answer_getDevUpgradeInfo(self, body):  # noqa: N802
        upgraded = [i for i in self._devices_asked(body, 10) if int(i) in self.upgraded]
        if not upgraded:
            self._fail(fail_code_error(20022))
        return [{"devId": int(i), "process": 60, "upgradeResult": 4} for i in upgraded]

    def answer_getAlarmList(self, body):  # noqa: N802
        codes, now = self._plants_asked(body), self.time()
        weights = Counter(device["stationCode"] for device in self.devices.values())
        if len(codes) > 1 and sum(weights[code] for code in codes) > MAX_DEVICES[self.edition]:
            self._fail(fail_code_error(20016))
        assert isinstance(body["beginTime"], int)
        assert isinstance(body["endTime"], int)
        if body["language"] not in self.languages:
            self._fail(fail_code_error(20025))
        begin, end = body["beginTime"] / 1_000, body["endTime"] / 1_000
        code = refusal(begin, end, now)
        if code is not None:
            self._fail(fail_code_error(int(code)))
        begin = max(begin, end - self.alarm_cut)
        levels, kinds = (
            {int(each) for each in body.get(name, "1,2,3,4,5").split(",")}
            for name in ("levels", "types")
        )
        return self._without_lost(
            [
                trouble.item(now)
                for trouble in self.troubles
                if trouble.plant in codes
                and begin <= trouble.raised <= end
                and trouble.listed(now)
                and trouble.level in levels
                and trouble.kind in kinds
            ]
        )

    def __getattr__(self, name):
        """Statistics, whose answers are alike: answer_getKpiStationDay, answer_getDevKpiYear …"""
        if name.startswith("answer_getKpiStation"):
            kind = name.removeprefix("answer_getKpiStation")
            return lambda body: self._rows(kind, body, "stationCode", self._plants_asked(body))
        if name.startswith("answer_getDevKpi"):
            kind = name.removeprefix("answer_getDevKpi")
            return lambda body: self._rows(kind, body, "devId", self._devices_asked(body, 100))
        raise AttributeError(name)

    def _rows(self, kind, body, of, subjects):
        assert isinstance(body["collectTime"], int)
        now = self.time()
        return self._without_lost(
            [
                {
                    of: subject,
                    "collectTime": round(start * 1_000),
                    "dataItemMap": {"inverter_power": min(now, end) - start},
                }
                for subject in subjects
                for start, end in periods(kind, self.zone_of(subject), body["collectTime"] / 1_000)
                if start + self.lag <= now
            ]
        )

    def zone_of(self, subject):
        """The time zone of a plant, or of a device's plant."""
        if subject not in self.plants:
            subject = self.devices[int(subject)]["stationCode"]
        return ZoneInfo(self.plants[subject].get("zone", "UTC"))

    def _without_lost(self, rows):
        """The rows that are not lost."""
        return [row for row in rows if not self.lost or self.random.random() >= self.lost]

    def _plants_asked(self, body):
        return self._requested_names(body["stationCodes"], self.plants, 100, 20007)

    def _devices_asked(self, body, most):
        ids = self._requested_names(body["devIds"], set(map(str, self.devices)), most, 20008)
        kinds = {str(self.devices[int(i)]["devTypeId"]) for i in ids}
        if kinds != {body["devTypeId"]} or self.poisoned & {int(i) for i in ids}:
            self._fail(fail_code_error(20006))
        return ids

    def _requested_names(self, text, known, most, unknown):
        names = text.split(",")
        assert 1 <= len(names) <= most
        assert len(set(names)) == len(names), "asked twice"
        if not set(names) <= set(known):
            self._fail(fail_code_error(unknown))
        return names
