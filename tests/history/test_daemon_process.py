"""A real daemon that fetches the past, on real sockets."""

import time
from datetime import UTC, datetime

import pytest
from daemon import account, exporter, refusals, serving, system
from history.receiver import decoded, served

pytestmark = pytest.mark.slow

MONTH = "fusionsolar_plant_period_inverter_energy_joules"


def months_of(receiver):
    """The labels of the months that were sent."""
    sent = (labels for _, body in list(receiver.requests) for labels, _ in decoded(body))
    return [each for each in sent if (each["__name__"], each.get("period")) == (MONTH, "month")]


def test_the_past_of_an_account_is_sent_while_it_is_polled(tmp_path):
    management, start = system(plants=2), time.time() - 400 * 86_400
    with served() as receiver, serving(management) as server:
        history = {
            "enabled": True,
            "from": datetime.fromtimestamp(start, UTC).date().isoformat(),
            "sources": ["getKpiStationMonth"],
            "labels": {"job": "fusionsolar"},
            "remote_write": {"url": receiver.url},
        }
        settings = {"state": {"directory": str(tmp_path / "state")}, "history": history}
        with exporter(tmp_path, [account(server.url)], **settings) as daemon:
            plants = set(management.fleet.plants)
            daemon.wait(lambda: {each["plant_code"] for each in months_of(receiver)} == plants)
            assert daemon.value('fusionsolar_exporter_errors_total{part="history"}') == 0
    assert {each["job"] for each in months_of(receiver)} == {"fusionsolar"}
    assert set(refusals(management).values()) == {0}
