"""Nothing that is nobody's business is to be read anywhere after a run full of faults.

The management system says everything that it knows, in places where it is to be ignored: who owns
a plant, and how to reach them, the account's user name and password, every token.
"""

import base64
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from daemon import MINUTE, account, exporter, serving
from faults.leaking_system import CONTACTS, LeakingSystem

from exporter.simulator.world.fleet import build

pytestmark = pytest.mark.slow

USER, PASSWORD = "nb-user-4711", "pa55word=with;signs"
PERSONAL = {*map(str, CONTACTS.values()), USER, PASSWORD}
CALLS = 80  # of the run

REALTIME = "getDevRealKpi"
ONCE = {"interface": REALTIME, "count": 1, "probability": 1.0}
# Injected all at once, each by chance; but once each that brings a new token, as waits double.
FAULTS = (
    {"kind": "http_status", "value": 401, **ONCE},
    {"kind": "fail_code", "value": 305, **ONCE},
    {"kind": "new_token", **ONCE},
    *({"kind": "http_status", "value": status} for status in (400, 404, 500, 503)),
    {"kind": "fail_code", "value": 20004},
    {"kind": "fail_code", "value": 20008, "interface": REALTIME},
    {"kind": "empty_body", "interface": REALTIME},
    {"kind": "redirect", "value": f"http://{USER}:{PASSWORD}@127.0.0.1:9/{PASSWORD}"},
    {"kind": "data_as", "value": " ".join(PERSONAL)},
    *(
        {"kind": kind}
        for kind in (
            "reset_before_headers", "reset_in_body", "short_body", "truncated_json", "html",
            "charset", "deep_nesting", "duplicate_keys", "lone_surrogates", "odd_values",
            "unknown_keys", "wrong_items", "not_asked_for",
        )
    ),
)  # fmt: skip


def leaks(text, secrets):
    """Which of the secrets a text holds, as they are or in a dress that is easily put off."""
    content = text if isinstance(text, bytes) else text.encode()
    return {
        secret
        for secret in secrets
        for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode())
        if form.encode() in content
    }


def command(directory, *flags):
    """All that a command says."""
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-m", "exporter", *flags],
        capture_output=True,
        cwd=directory,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """All that can be read of a run, by where; and what the management system had to hide."""
    directory = tmp_path_factory.mktemp("run")
    system = LeakingSystem(
        build(plants=3), clock=time.time, limits="classic", minute=MINUTE, users={USER: PASSWORD}
    )
    read = {}
    with serving(system) as server:
        one = account(server.url, username=USER, password=PASSWORD)
        state = {"directory": str(directory / "state")}
        with exporter(directory, [one], "--log.level=debug", state=state) as daemon:
            daemon.ready()
            for fault in FAULTS:
                system.faults.add(**{"probability": 0.05, **fault})
            calls = system.calls.accounts
            daemon.wait(lambda: sum(len(c.arrivals) for c in calls().values()) > CALLS)
            read |= {path: daemon.get(path)[1] for path in ("/", "/metrics", "/-/ready")}
            read["the process list"] = Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes()
            read |= {str(file): file.read_bytes() for file in (directory / "state").iterdir()}
            daemon.stop()
        read |= {f"{file} later": file.read_bytes() for file in (directory / "state").iterdir()}
        read["the log"] = daemon.log
    read |= {
        " ".join(flags): command(directory, *flags)
        for flags in (
            ("--help",), ("metrics",), ("metrics", "--help"), ("--config.check",),
            ("--config.check", "--log.level=debug"),
        )
    }  # fmt: skip
    return system, read


def test_the_management_system_said_all_of_it(run):
    system, _ = run
    assert leaks(bytes(system.sent), PERSONAL) == PERSONAL
    assert len(leaks(bytes(system.sent), system.tokens)) >= 3


def test_the_faults_were_met(run):
    _, read = run
    failures = r'^fusionsolar_api_request_failures_total\{.*reason="(\w+)"\} [1-9]'
    assert len(set(re.findall(failures, read["/metrics"], re.MULTILINE))) >= 5
    assert read["the log"].count("event=") > 20


def test_nobody_reads_who_owns_a_plant_or_how_to_log_in(run):
    _, read = run
    assert {where: leaks(content, PERSONAL) for where, content in read.items()} == {
        where: set() for where in read
    }


def test_nobody_reads_a_token_but_from_the_state_file(run):
    system, read = run
    leaked = {where: leaks(content, system.tokens) for where, content in read.items()}
    kept = {where for where in leaked if ".sqlite" in where}
    assert kept
    assert {where: leaked[where] for where in leaked if where not in kept} == {
        where: set() for where in leaked if where not in kept
    }


def test_a_mistake_in_the_configuration_is_told_without_what_stands_beside_it(tmp_path):
    wrong = {"username": USER, "password": PASSWORD, "timeout": "soon", "colour": USER}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"accounts": [wrong]}))

    content = command(tmp_path, "--config.check")

    assert b"timeout" in content
    assert leaks(content, {USER, PASSWORD}) == set()


@pytest.mark.parametrize(
    "dress", [str, lambda s: quote(s, safe=""), lambda s: base64.b64encode(s.encode()).decode()]
)
def test_the_search_finds_what_is_there(dress):
    assert leaks(f"reason={dress(PASSWORD)}\n", PERSONAL) == {PASSWORD}
