"""What is written where: files that promtool takes, and what servers are sent."""

import gzip
import json
import os
from base64 import b64decode
from errno import ENOSPC

import pytest
from commands.world import Clock
from history.receiver import decoded, served
from northbound.raw_server import LONG, SHORT, answering, head, send_slowly, serving

from exporter.catalogue.index import lookup
from exporter.exposition.families import PLANT_INFO
from exporter.history.series import TargetError, TimeSeries
from exporter.history.targets import http
from exporter.history.targets.http import Endpoint, portions
from exporter.history.targets.openmetrics import OpenMetricsFiles
from exporter.history.targets.remote_write import RemoteWrite
from exporter.history.targets.victoriametrics import VictoriaMetrics

POWER = lookup("getDevRealKpi", 1)["active_power"].metric
ENERGY = lookup("getDevRealKpi", 1)["total_cap"].metric
FAMILY = ENERGY.name.removesuffix("_total")
HOME = {"account": "home", "plant_code": "NE=1", "device_id": "7"}


def power(*samples, **labels):
    return TimeSeries(POWER, {**HOME, **labels}, list(samples))


# --- files --------------------------------------------------------------------------------------

POWERS = f"""\
# HELP {POWER.name} {POWER.help}
# TYPE {POWER.name} gauge
{POWER.name}{{account="home",device_id="7",plant_code="NE=1"}} 1.5 0.500
{POWER.name}{{account="home",device_id="7",plant_code="NE=1"}} 2.0 300.000
{POWER.name}{{account="home",device_id="8",plant_code="NE=1"}} 3.0 300.000
"""
ENERGIES = f"""\
# HELP {FAMILY} {ENERGY.help}
# TYPE {FAMILY} counter
{FAMILY}_total{{account="home",device_id="7",plant_code="NE=1"}} 3.6e+16 0.500
"""


def test_a_file_has_each_family_in_one_piece_with_ascending_times(tmp_path):
    target = OpenMetricsFiles(tmp_path / "new")
    target.write([power((300_000, 2.0)), TimeSeries(ENERGY, HOME, [(500, 3.6e16)])])
    target.write([power((300_000, 3.0), device_id="8"), power((500, 1.5))])
    assert list((tmp_path / "new").iterdir()) == []
    target.flush()
    (path,) = (tmp_path / "new").iterdir()
    assert path.name == "000001.om"
    assert path.read_text("utf-8") == f"{POWERS}{ENERGIES}# EOF\n"


def test_a_full_file_is_written_and_the_next_has_the_next_number(tmp_path):
    (tmp_path / "000007.om").write_text("")
    target = OpenMetricsFiles(tmp_path, max_samples=2)
    for n in range(3):
        target.write([power((1000 * n, 1.0))])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000007.om", "000008.om"]
    target.flush()
    target.flush()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("000007.om", "000008.om", "000009.om"),
    ]


def test_a_directory_that_cannot_be_written_is_said_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TargetError, match="file: File exists"):
        OpenMetricsFiles(tmp_path / "file")


def test_a_directory_that_is_gone_by_the_end_is_said_in_words(tmp_path):
    target = OpenMetricsFiles(tmp_path / "new")
    target.write([power((0, 1.0))])
    (tmp_path / "new").rmdir()
    with pytest.raises(TargetError, match="new: No such file or directory"):
        target.flush()


def test_a_full_disk_is_left_as_it_was_and_nothing_is_lost(tmp_path, monkeypatch):
    def full(_):
        raise OSError(ENOSPC, "No space left on device")

    target = OpenMetricsFiles(tmp_path)
    target.write([power((500, 1.5), (300_000, 2.0)), power((300_000, 3.0), device_id="8")])
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(TargetError, match="No space left on device"):
            target.flush()
    assert list(tmp_path.iterdir()) == []
    target.flush()
    assert (tmp_path / "000001.om").read_text("utf-8") == f"{POWERS}# EOF\n"


def test_series_are_cut_into_portions():
    parts = portions([power(*((n, 0.0) for n in range(5))), power((9, 0.0))], 2)
    assert [[[t for t, _ in each.samples] for each in part] for part in parts] == [
        [[0, 1]],
        [[2, 3]],
        [[4], [9]],
    ]


# --- servers ------------------------------------------------------------------------------------


@pytest.fixture
def receiver():
    with served() as made:
        yield made


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def remote_write(receiver, clock):
    endpoint = Endpoint(receiver.url, {"X-Scope-OrgID": "me"}, ("user", "secret"))
    return RemoteWrite(endpoint, clock)


@pytest.mark.slow
def test_remote_write_sends_sorted_labels_and_samples(remote_write, receiver):
    labels = {**HOME, "plant_name": "", "job": "fusionsolar"}
    remote_write.write([TimeSeries(PLANT_INFO, labels, [(1, 1.0), (2, 1.0)])])
    ((headers, body),) = receiver.requests
    names = ("Content-Type", "Content-Encoding", "X-Prometheus-Remote-Write-Version")
    assert [headers[name] for name in names] == ["application/x-protobuf", "snappy", "0.1.0"]
    assert (headers["X-Scope-OrgID"], headers["Authorization"][:6]) == ("me", "Basic ")
    ((sent, samples),) = decoded(body)
    assert list(sent.items()) == [
        ("__name__", "fusionsolar_plant_info"),
        ("account", "home"),
        ("device_id", "7"),
        ("job", "fusionsolar"),
        ("plant_code", "NE=1"),
    ]
    assert samples == [(1, 1.0), (2, 1.0)]


BUSY_UNTIL = "Wed, 25 Jun 2025 12:02:00 GMT"


@pytest.mark.slow
def test_a_busy_server_is_waited_for_as_long_as_it_asks(remote_write, receiver, clock):
    receiver.answers = [
        (503, {}, "busy"),
        (429, {"Retry-After": "17"}, "slow down"),
        (500, {}, ""),
        (429, {"Retry-After": BUSY_UNTIL, "Date": "Wed, 25 Jun 2025 12:00:22 GMT"}, ""),
    ]
    remote_write.write([power((1, 1.0))])
    assert clock.waits == [1, 17, 4, 98]
    assert len(receiver.requests) == 5
    assert len({body for _, body in receiver.requests}) == 1


@pytest.mark.slow
def test_a_server_that_stays_busy_is_given_up(remote_write, receiver, clock):
    receiver.answers = [(503, {}, "busy")] * 100
    with pytest.raises(TargetError, match="takes no samples: HTTP 503 busy"):
        remote_write.write([power((1, 1.0))])
    assert len(receiver.requests) == 30
    assert sum(clock.waits) == 1503


@pytest.fixture
def serve():
    with serving() as start:
        yield start


def refusal_of(server, clock, timeout=SHORT):
    """What a target says that a server did, without its place."""
    url = f"http://127.0.0.1:{server.port}/write"
    target = VictoriaMetrics(Endpoint(url, timeout=timeout), clock)
    with pytest.raises(TargetError) as refusal:
        target.write([power((1, 1.0))])
    return str(refusal.value).removeprefix(url)


@pytest.mark.slow
@pytest.mark.parametrize("start", [b"", head("Content-Length: 99", status="503 Busy")])
def test_an_answer_that_drips_ends_at_the_deadline(serve, clock, monkeypatch, start):
    def drip(server, connection):
        server.read(connection)
        connection.sendall(start)
        send_slowly(server, connection, b"x" * 99 if start else head())

    monkeypatch.setattr(http, "MAX_TRIES", 2)
    server = serve(drip)
    assert refusal_of(server, clock) == " takes no samples: timeout"
    assert clock.waits == [1, 2]
    assert not server.finished


@pytest.mark.slow
def test_of_an_endless_refusal_only_its_beginning_is_read(serve, clock):
    answer = answering(body=b"no" * 4_000_000, status="400 Bad Request")
    assert refusal_of(serve(answer), clock, timeout=LONG) == f": HTTP 400 {'no' * 150}"


@pytest.mark.slow
def test_a_refusal_of_old_samples_says_what_to_set_where(remote_write, receiver, clock):
    receiver.answers = [(400, {}, "out of bounds\n")]
    with pytest.raises(TargetError) as refusal:
        remote_write.write([power((1, 1.0))])
    message = str(refusal.value)
    assert message.startswith(f"{receiver.url}: HTTP 400 out of bounds; the target refuses samples")
    assert "storage.tsdb.out_of_order_time_window" in message
    assert clock.waits == []


@pytest.mark.slow
def test_another_refusal_is_told_as_it_came(remote_write, receiver):
    receiver.answers = [(401, {}, "who are you?")]
    with pytest.raises(TargetError) as refusal:
        remote_write.write([power((1, 1.0))])
    assert str(refusal.value) == f"{receiver.url}: HTTP 401 who are you?"
    assert "secret" not in repr(Endpoint(receiver.url, {"a": "secret"}, ("user", "secret")))


@pytest.mark.slow
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_an_answer_that_leads_elsewhere_is_no_taking(remote_write, receiver, status):
    receiver.answers = [(status, {"Location": "https://other/login?token=secret"}, "Moved")]
    with pytest.raises(TargetError) as refusal:
        remote_write.write([power((1, 1.0))])
    assert str(refusal.value) == (
        f"{receiver.url}: redirect to https://other; the URL has to be the last one"
    )


@pytest.mark.slow
def test_what_a_target_says_is_one_line_that_orders_no_terminal(remote_write, receiver):
    receiver.answers = [(400, {}, "no\n\x1b[2Jsuch\u202e place\x07")]
    with pytest.raises(TargetError) as refusal:
        remote_write.write([power((1, 1.0))])
    assert str(refusal.value) == f"{receiver.url}: HTTP 400 no [2Jsuch place"


@pytest.mark.slow
def test_passwords_may_have_any_character(receiver, clock):
    endpoint = Endpoint(receiver.url, auth=("zoë", "pässwörd €"))
    RemoteWrite(endpoint, clock).write([power((1, 1.0))])
    ((headers, _),) = receiver.requests
    scheme, _, credentials = headers["Authorization"].partition(" ")
    assert (scheme, b64decode(credentials).decode()) == ("Basic", "zoë:pässwörd €")


@pytest.mark.slow
@pytest.mark.parametrize("target", [RemoteWrite, VictoriaMetrics])
@pytest.mark.parametrize("status", [400, 503])
def test_no_message_tells_what_stands_behind_the_path(receiver, clock, target, status):
    receiver.answers = [(status, {}, "no")] * 30
    endpoint = Endpoint(f"{receiver.url}?token=secret")
    with pytest.raises(TargetError) as refusal:
        target(endpoint, clock).write([power((1, 1.0))])
    assert str(refusal.value).startswith(f"{receiver.url}")
    assert "secret" not in str(refusal.value)


@pytest.mark.slow
def test_victoria_metrics_gets_a_line_a_series(receiver, clock):
    target = VictoriaMetrics(Endpoint(receiver.url), clock)
    target.write([power((1, 1.5), (2, 2.5)), power((3, 0.0), device_id="")])
    ((headers, body),) = receiver.requests
    assert headers["Content-Encoding"] == "gzip"
    assert [json.loads(line) for line in gzip.decompress(body).splitlines()] == [
        {
            "metric": {"__name__": POWER.name, **HOME},
            "values": [1.5, 2.5],
            "timestamps": [1, 2],
        },
        {
            "metric": {"__name__": POWER.name, "account": "home", "plant_code": "NE=1"},
            "values": [0.0],
            "timestamps": [3],
        },
    ]
