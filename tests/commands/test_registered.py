"""`registered`: serial numbers of a user, who is nobody else's business."""

import io
import json

import pytest
from commands.world import expected, world

pytestmark = pytest.mark.slow

USER = "owner@example.com"


@pytest.fixture
def home(tmp_path):
    with world(tmp_path, owners={USER: ["BV1", "BV2"]}) as made:
        yield made


def test_a_table_of_yes_and_no(home, capsys):
    assert home.run("registered", "--user", USER, "--sn", "BV1,HV9", "--sn", "BV2") == 0

    assert capsys.readouterr().out == expected("registered")


def test_as_json(home, capsys):
    home.run("registered", "--user", USER, "--sn", "BV1,HV9", "--format", "json")

    assert json.loads(capsys.readouterr().out) == {"BV1": True, "HV9": False}


def test_twenty_serial_numbers_a_call(home):
    serials = ",".join(f"S{n}" for n in range(41))

    home.run("registered", "--user", USER, "--sn", serials)

    assert home.calls("snIsRegister") == 3
    assert home.refused() == 0
    assert home.clock.waits == [61, 61]


def test_the_user_may_come_from_standard_input(home, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{USER}\n"))

    assert home.run("registered", "--user", "-", "--sn", "BV1") == 0

    assert "yes" in capsys.readouterr().out


def test_a_refusal_is_told_in_the_servers_words_without_the_user(home, capsys):
    assert home.run("registered", "--user", "nobody@example.com", "--sn", "BV1") == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert err == 'fusionsolar-exporter: the management system says: "user does not exist"\n'


def test_the_user_is_not_kept(home):
    home.run("registered", "--user", USER, "--sn", "BV1")

    kept = b"".join(path.read_bytes() for path in home.state.iterdir())
    assert b"snIsRegister" in kept
    assert USER.encode() not in kept


def test_an_answer_to_another_question_is_none(home, capsys):
    home.system.faults.add(
        "data_as", interface="snIsRegister", value={"detail": {"BV1": True}, "key": "other"}
    )

    assert home.run("registered", "--user", USER, "--sn", "BV1") == 1
    assert "was not in the form" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--user", "", "--sn", "BV1"], ["--user", USER, "--sn", ","]])
def test_nothing_to_ask_about_is_a_mistake(home, capsys, flags):
    with pytest.raises(SystemExit) as ended:
        home.run("registered", *flags)

    assert ended.value.code == 2
    assert capsys.readouterr().err == ("fusionsolar-exporter: --user and --sn must not be empty\n")
    assert home.calls("login") == 0
