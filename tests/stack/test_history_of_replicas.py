"""The past is fetched by whoever holds the account; the next one goes on and asks nothing twice."""

import json
import signal
from collections import Counter
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from account.shared import execute
from daemon import account, exporter, refusals, serving, system
from history.receiver import decoded, served

from exporter.simulator.http.system import System

pytestmark = pytest.mark.slow

DAYS = "getKpiStationDay"
MONTHS = 24
YIELD = "fusionsolar_plant_period_inverter_energy_joules"


class CountingSystem(System):
    """Counts the requests for days of each month."""

    def handle(self, method, path, headers, body=b""):
        if path.endswith(DAYS):
            parameters = json.loads(body)
            self.day_requests[parameters["stationCodes"], parameters["collectTime"]] += 1
        return super().handle(method, path, headers, body)


def months_before(now, number):
    """The first of a month so many months ago."""
    month = now.year * 12 + now.month - 1 - number
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def archived_months(url):
    """The number of plants' months in the archive."""
    with suppress(psycopg.errors.UndefinedTable):
        statement = "SELECT count(*) FROM fusionsolar_history_answer WHERE interface = %s"
        return execute(url, statement, DAYS)[0][0]
    return 0


def days_of(receiver):
    """The days of which samples were sent, and how often each sample was."""
    sent = [
        (labels["plant_code"], time, value)
        for _, body in list(receiver.requests)
        for labels, samples in decoded(body)
        if labels["__name__"] == YIELD and labels["period"] == "day"
        for time, value in samples
    ]
    return {(plant, time // 86_400_000) for plant, time, _ in sent}, Counter(sent)


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_when_its_replica_ends_another_goes_on_and_asks_for_nothing_again(
    tmp_path, database_url, end
):
    management = system(plants=2)
    management.__class__ = CountingSystem
    management.day_requests = Counter()
    start = months_before(datetime.now(UTC), MONTHS)
    with ExitStack() as stack:
        receiver = stack.enter_context(served())
        server = stack.enter_context(serving(management))
        settings = {
            "state": {"database": database_url},
            "history": {
                "enabled": True,
                "from": start.date().isoformat(),
                "sources": [DAYS],
                "share": 0.5,
                "remote_write": {"url": receiver.url},
            },
        }
        accounts = [account(server.url)]
        first, second = (
            stack.enter_context(exporter(_create(tmp_path / name), accounts, **settings))
            for name in ("first", "second")
        )
        held = 'fusionsolar_exporter_account_held{account="home"}'
        first.wait(lambda: first.value(held) or second.value(held))
        holder, other = (first, second) if first.value(held) else (second, first)
        # Just after an answer: its next call is not under way yet.
        seen = holder.wait(lambda: archived_months(database_url))
        holder.wait(lambda: archived_months(database_url) > seen + 6)
        holder.stop(end)
        left_at = archived_months(database_url)

        plants = len(management.fleet.plants)
        all_months = plants * (MONTHS + 1)
        other.wait(lambda: archived_months(database_url) == all_months)
        yesterday = datetime.now(UTC) - timedelta(days=2)
        expected_days = (yesterday - start).days * plants
        other.wait(lambda: len(days_of(receiver)[0]) >= expected_days)

    assert 0 < left_at < all_months
    assert {key: times for key, times in management.day_requests.items() if times > 1} == {}
    assert set(refusals(management).values()) == {0}
    assert len(management.calls.of("api", "login").arrivals) == 1
    logs = (tmp_path / "first" / "log").read_text() + (tmp_path / "second" / "log").read_text()
    assert [line for line in logs.splitlines() if "level=error" in line] == []


def _create(directory):
    directory.mkdir()
    return directory
