"""Flags and commands, as a person at a terminal meets them."""

import json
import os
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from exporter.cli import COMMANDS, main

CONFIG = """
accounts:
  - name: home
    base_url: http://127.0.0.1:9
    username: api-user
    password: very-secret
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


def run_refused(capsys, *arguments):
    """Exit status and the one line of a refused command."""
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return ended.value.code, err.rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--config"], "unrecognized arguments: --config"),
        (
            ["nonsense"],
            f"nonsense is no command; there are {', '.join(COMMANDS)}; without one the",
        ),
        (["--log.level", "loud"], "argument --log.level: invalid choice: 'loud'"),
        (["metrics", "--format", "xml"], "argument --format: invalid choice: 'xml'"),
        (["demo", "--plants", "many"], "argument --plants: many is no number of 1 or more"),
        (
            ["demo", "--devices", "3", "--web.listen-address=127.0.0.1:0"],
            "--devices 3: 6 plants hold 44 devices, not 3",
        ),
        (["demo", "--plants", "0"], "argument --plants: 0 is no number of 1 or more"),
        (["simulate", "--minute", "-1"], "argument --minute: -1 is no number of seconds"),
        (["simulate", "--minute", "0"], "argument --minute: 0 is too short"),
        (["simulate", "--latency", "x"], "argument --latency: x is no number of seconds"),
        (
            ["simulate", "--web.listen-address", "nowhere"],
            "--web.listen-address nowhere: expected host:port, [v6]:port or :port",
        ),
        (
            ["demo", "--web.listen-address", "127.0.0.1:99999"],
            "--web.listen-address 127.0.0.1:99999: expected host:port, [v6]:port or :port",
        ),
    ],
)
def test_a_wrong_flag_is_one_line_and_status_2(capsys, arguments, line):
    code, message = run_refused(capsys, *arguments)

    assert code == 2
    assert message.startswith(f"fusionsolar-exporter: {line}")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["chekc"], "chekc is no command; did you mean check?"),
        (["statr"], "statr is no command; the exporter starts without a command"),
        (
            ["serve", "--config.file", "x"],
            "serve is no command; the exporter starts without a command",
        ),
        (
            ["-config.file", "config.yaml"],
            "unrecognized arguments: -config.file config.yaml; did you mean --config.file?",
        ),
        (
            ["-log.level=x", "-version"],
            "unrecognized arguments: -log.level=x -version; did you mean --log.level, --version?",
        ),
        (
            ["--confg.file", "x"],
            "unrecognized arguments: --confg.file x; did you mean --config.file?",
        ),
        (["-version"], "unrecognized arguments: -version; did you mean --version?"),
        (
            ["check", "-config.file", "x"],
            "unrecognized arguments: -config.file x; did you mean --config.file?",
        ),
        (["check", "--acount", "x"], "unrecognized arguments: --acount x; did you mean --account?"),
        (
            ["registered", "-user", "x", "-sn", "y"],
            "the following arguments are required: --user, --sn; did you mean --user, --sn?",
        ),
        (
            ["upgrade", "status", "-device", "x"],
            "unrecognized arguments: -device x; did you mean --device?",
        ),
        (
            ["upgrade", "start", "-device", "x"],
            "the following arguments are required: --device; did you mean --device?",
        ),
        (
            ["--config.file", "x", "check"],
            "unrecognized arguments: check; a command comes first: fusionsolar-exporter check",
        ),
    ],
)
def test_a_misspelt_word_is_answered_with_the_one_that_may_be_meant(capsys, arguments, line):
    assert run_refused(capsys, *arguments) == (2, f"fusionsolar-exporter: {line}")


def test_a_missing_file_is_one_line_and_status_2(capsys, tmp_path):
    code, message = run_refused(capsys, "--config.file", tmp_path / "none.yaml")

    assert code == 2
    assert "none.yaml" in message


def test_a_taken_address_is_one_line_and_status_2(capsys, config):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, message = run_refused(
            capsys, "--config.file", config, "--web.listen-address", f"127.0.0.1:{port}"
        )

    assert code == 2
    assert "Address already in use" in message


def test_a_factor_for_an_unknown_key_is_refused(capsys, config):
    config.write_text(CONFIG + "factors: [{device_type: 17, key: power, factor: 1000}]\n")

    code, message = run_refused(capsys, "--config.file", config)

    assert code == 2
    assert message.endswith("config.yaml: factors[0]: device type 17 has no key power")


@pytest.mark.parametrize(
    ("factors", "line"),
    [
        (
            ["{device_type: 1, key: run_state, factor: 2}"],
            "run_state is a state, which has no factor",
        ),
        (
            ["{device_type: 17, key: active_power, factor: 1000}"] * 2,
            "active_power of this type has a factor already",
        ),
    ],
)
def test_a_factor_without_effect_is_refused(capsys, config, factors, line):
    config.write_text(f"{CONFIG}factors: [{', '.join(factors)}]\n")

    code, message = run_refused(capsys, "--config.file", config)

    assert code == 2
    assert message.endswith(line)


def test_checking_looks_at_the_address_too(capsys, config):
    code, message = run_refused(
        capsys, "--config.check", "--config.file", config, "--web.listen-address", "nowhere"
    )

    assert code == 2
    assert message.endswith("nowhere: expected host:port, [v6]:port or :port")


def test_checking_looks_at_the_url_of_the_database_and_does_not_reach_for_it(capsys, config):
    def check(database):
        config.write_text(f"{CONFIG}state: {{database: '{database}'}}\n")
        return "--config.check", "--config.file", str(config)

    code, message = run_refused(capsys, *check("postgresql://me:s3@cret@db.invalid/exporter"))

    assert code == 2
    assert message.endswith("has a password with @ or /, which have to be written as %40 and %2F")
    assert main(check("postgresql://me@db.invalid/exporter")) == 0


def test_checking_a_configuration(capsys, config):
    assert main(["--config.check", "--config.file", str(config)]) == 0
    assert capsys.readouterr().out == f"{config}: ok\n"


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS), ["upgrade", "start"], ["upgrade", "status"]]
)
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: fusionsolar-exporter")


def test_the_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"fusionsolar-exporter {version('fusionsolar-exporter')}\n"


def test_the_metrics_as_json(capsys):
    assert main(["metrics", "--format", "json"]) == 0

    entries = json.loads(capsys.readouterr().out)
    described = {(e["interface"], e["device_type"], e["key"]): e for e in entries if e["key"]}
    assert described["getDevRealKpi", 1, "pv36_u"] == {
        "interface": "getDevRealKpi",
        "device_type": 1,
        "key": "pv36_u",
        "metric": "fusionsolar_inverter_string_voltage_volts",
        "type": "gauge",
        "factor": 1.0,
        "labels": {"string": "36"},
        "unit": "volts",
        "source_unit": "V",
        "help": "Voltage of a string (pv1_u to pv36_u).",
    }
    own = {e["metric"]: e["type"] for e in entries if e["key"] is None}
    assert own["fusionsolar_up"] == "gauge"
    assert own["fusionsolar_device_info"] == "info"
    assert own["fusionsolar_api_requests_total"] == "counter"


def test_the_metrics_as_tables(capsys):
    assert main(["metrics"]) == 0

    assert (
        "| `fusionsolar_inverter_active_power_watts` | gauge | watts |" in capsys.readouterr().out
    )


@pytest.fixture(params=["metrics", "files"])
def printing(request):
    """Runs a command whose output goes to a file; its exit status and what it said to stderr."""

    def run(output):
        done = subprocess.run(  # noqa: S603  # our own program
            [sys.executable, "-m", "exporter", request.param],
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
        )
        return done.returncode, done.stderr

    return run


@pytest.mark.slow
def test_whoever_reads_what_is_printed_may_stop_early(printing):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        assert printing(nobody) == (0, b"")


@pytest.mark.slow
def test_a_full_disk_is_one_line(printing):
    with Path("/dev/full").open("wb") as full:
        assert printing(full) == (
            1,
            b"fusionsolar-exporter: cannot write: No space left on device\n",
        )
