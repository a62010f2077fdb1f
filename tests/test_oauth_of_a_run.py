"""A daemon that signs in by OAuth, as a process: killed, refused, authorised anew; its secrets."""

import re
import signal
import time

import pytest
from daemon import MINUTE, account, exporter, serving, system
from faults.leaking_system import CONTACTS, LeakingSystem
from test_secrets_of_a_run import command, leaks

from exporter.account.refresh_token import RefreshTokenFile
from exporter.simulator.http.oauth import TOKEN_PATH
from exporter.simulator.world.fleet import build

pytestmark = pytest.mark.slow

CLIENT, SECRET = "client-4711-0815", "s3cret=with;signs&more"
TOKEN_SECONDS = 3.0
STATE = {"state": {"directory": "state"}}


def authorised(management, directory, url):
    """The configuration of an account that an owner has authorised."""
    token = directory / "refresh-token"
    RefreshTokenFile(token).write(management.oauth.agree(CLIENT))
    made = account(url)
    del made["username"], made["password"]
    made["auth"] = {
        "type": "oauth",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "refresh_token_file": str(token),
        "token_url": url + TOKEN_PATH,
    }
    return token, made


def value(page, name):
    found = re.search(rf"^{name}\{{account=\"home\".*?\}} (\S+)$", page, re.MULTILINE)
    return found and float(found[1])


def test_kills_right_after_a_renewal_never_use_a_refresh_token_twice(tmp_path):
    management = system(plants=1, clients={CLIENT: SECRET}, token_seconds=TOKEN_SECONDS)
    with serving(management) as server:
        token, made = authorised(management, tmp_path, server.url)
        for _ in range(3):
            with exporter(tmp_path, [made], **STATE) as daemon:
                before = token.read_text()
                daemon.wait(lambda: token.read_text() != before)  # noqa: B023  # waited for at once
                daemon.stop(signal.SIGKILL)
        with exporter(tmp_path, [made], **STATE) as daemon:
            daemon.ready()
            assert value(daemon.page(), "fusionsolar_up") == 1
    assert management.oauth.reused == 0
    assert management.oauth.bought >= 3


def test_a_lost_authorisation_is_told_on_every_page_and_in_the_log(tmp_path):
    management = system(plants=1, clients={CLIENT: SECRET})
    with serving(management) as server:
        _, made = authorised(management, tmp_path, server.url)
        management.oauth.withdraw()
        with exporter(tmp_path, [made], **STATE) as daemon:
            daemon.wait(lambda: "invalid_grant" in daemon.get("/-/ready")[1])
            page, status = daemon.page(), daemon.get("/")[1]
    assert value(page, "fusionsolar_up") == 0
    assert re.search(r'failures_total\{.*"login",reason="invalid_grant"\} 1\.0', page)
    assert "fusionsolar-exporter authorize" in status
    assert "reason=invalid_grant" in daemon.log
    assert management.oauth.reused == 1


FAULTS = (
    {"kind": "http_status", "value": 503, "interface": "token", "count": 1},
    {"kind": "redirect", "value": f"http://{CLIENT}:{SECRET}@127.0.0.1:9/", "interface": "token",
     "count": 1},
    {"kind": "http_status", "value": 401, "interface": "getDevRealKpi", "count": 1},
    {"kind": "fail_code", "value": 20004, "interface": "getDevRealKpi", "count": 1},
    {"kind": "new_token", "interface": "getDevRealKpi", "count": 1},
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """All that can be read of a run with faults, by where; and what was to be hidden."""
    directory = tmp_path_factory.mktemp("run")
    management = LeakingSystem(
        build(plants=1),
        clock=time.time,
        limits="classic",
        minute=MINUTE,
        clients={CLIENT: SECRET},
        token_seconds=TOKEN_SECONDS,
    )
    with serving(management) as server:
        token, made = authorised(management, directory, server.url)
        with exporter(directory, [made], "--log.level=debug", **STATE) as daemon:
            daemon.ready()
            for fault in FAULTS:
                management.faults.add(**fault)
            bought = management.oauth.bought
            daemon.wait(lambda: management.oauth.bought > bought + 1)
            management.oauth.withdraw()
            daemon.wait(lambda: "invalid_grant" in daemon.log)
            read = {path: daemon.get(path)[1] for path in ("/", "/metrics", "/-/ready")}
            daemon.stop()
        read["the log"] = daemon.log
        read["check"] = command(directory, "check")
    state = {str(file): file.read_bytes() for file in (directory / "state").iterdir()}
    return management, read, state, token


def test_what_was_to_be_hidden_was_said(run):
    management, read, _, _ = run
    assert leaks(bytes(management.sent), {CLIENT, SECRET}) == {CLIENT, SECRET}
    assert len(leaks(bytes(management.sent), management.oauth.tokens)) > 4
    for reason in ("http_503", "redirect", "http_401", "invalid_grant"):
        assert f"reason={reason}" in read["the log"]


def test_neither_client_nor_secret_nor_token_is_read_anywhere(run):
    management, read, _, _ = run
    hidden = {CLIENT, SECRET, *map(str, CONTACTS.values()), *management.oauth.tokens}
    assert {where: leaks(content, hidden) for where, content in read.items()} == {
        where: set() for where in read
    }


def test_the_state_holds_access_tokens_at_most(run):
    management, _, state, _ = run
    refresh = {each for each in management.oauth.tokens if each.startswith("r-")}
    assert len(refresh) > 2
    assert {where: leaks(content, refresh | {SECRET}) for where, content in state.items()} == {
        where: set() for where in state
    }
