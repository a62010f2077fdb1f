"""What the command refuses, before any call is made about the past."""

import pytest
from history.commanding import files, history
from history.receiver import served

pytestmark = pytest.mark.slow


def test_where_to_is_needed(home, capsys):
    with pytest.raises(SystemExit):
        home.run("history")
    assert "no target: --openmetrics DIR" in capsys.readouterr().err
    assert home.all_calls() == {}


@pytest.mark.parametrize("flag", ["--remote-write", "--victoriametrics"])
@pytest.mark.parametrize("url", ["localhost:9090", "ftp://host/", "http://me:s3cr3t@host/"])
def test_a_url_that_cannot_be_right_is_refused_before_any_call(home, capsys, flag, url):
    with pytest.raises(SystemExit) as end:
        home.run("history", "--from", "2025-06-01", flag, url)
    message = f"argument {flag}: must be an http:// or https:// URL without user, password or #\n"
    assert (end.value.code, capsys.readouterr().err) == (2, f"fusionsolar-exporter: {message}")
    assert home.all_calls() == {}


def test_a_directory_that_can_have_no_files_is_refused_before_any_call(home, capsys):
    taken = home.directory / "taken"
    taken.write_text("")
    with pytest.raises(SystemExit) as end:
        home.run("history", "--from", "2025-06-01", "--openmetrics", taken)
    message = f"fusionsolar-exporter: --openmetrics {taken}: File exists\n"
    assert (end.value.code, capsys.readouterr().err) == (2, message)
    assert home.all_calls() == {}


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("--from", "yesterday", "must be a date, such as 2021-05-31, or a time of one"),
        (
            "--sources",
            "five-minute",
            "five-minute is no interface with a past; did you mean five-minutes?",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_any_call(home, capsys, flag, value, message):
    with pytest.raises(SystemExit) as end:
        home.run("history", flag, value, *files(home))
    assert end.value.code == 2
    assert capsys.readouterr().err == f"fusionsolar-exporter: argument {flag}: {message}\n"
    assert home.all_calls() == {}


@pytest.mark.parametrize("flag", ["--remote-write", "--victoriametrics"])
def test_a_password_behind_the_path_of_a_target_is_neither_told_nor_kept(home, capsys, flag):
    def sent(parameters):
        history(home, "--from", "2025-06-01", flag, f"{receiver.url}?{parameters}")
        message = capsys.readouterr().err
        assert f" samples written to {flag[2:].replace('-', '_')} {receiver.url}?" in message
        assert "s3cr3t" not in message
        return len(receiver.requests)

    with served() as receiver:
        first = sent("token=s3cr3t")
        assert sent("token=s3cr3t") == first > 0
        assert sent("token=s3cr3t&extra_label=site=b") > first
    contents = [path.read_bytes() for path in home.state.iterdir() if path.is_file()]
    assert not any(b"s3cr3t" in each for each in contents)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--from", "2025-06-01", "--to", "2025-06-01"), "2025-06-01 00:00 UTC"),
        (("--from", "2025-06-02", "--to", "2025-01-01"), "2025-01-01 00:00 UTC"),
        (("--from", "2026-01-01"), "2025-06-25 12:00 UTC"),
    ],
)
@pytest.mark.parametrize("dry", [True, False])
def test_a_time_that_ends_before_it_begins_is_said(home, capsys, flags, message, dry):
    with pytest.raises(SystemExit) as end:
        home.run("history", *flags, *(["--dry-run"] if dry else files(home)))
    assert end.value.code == 2
    assert capsys.readouterr().err.endswith(
        f": the past ends at {message}, and --from is no earlier\n"
    )


def test_the_place_of_a_start_that_is_too_late_is_named(home, capsys):
    home.configure(history={"from": "2026-01-01"})
    with pytest.raises(SystemExit):
        home.run("history", "--dry-run")
    message = ": the past ends at 2025-06-25 12:00 UTC, and history.from is no earlier\n"
    assert capsys.readouterr().err.endswith(message)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--plants", "Roof*,Barn"), "--plants Roof*,Barn: there is none"),
        (("--devices", "x"), "--devices x: there is none"),
    ],
)
def test_names_of_nothing_are_said(home, capsys, flags, message):
    with pytest.raises(SystemExit) as end:
        home.run("history", "--from", "2025-06-01", *flags, *files(home))
    assert end.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("plant_code=x", "plant_code is a label that series have already; choose another name"),
        ("job", "job is no NAME=VALUE"),
        (
            "__name__=x",
            "__name__ must be letters, digits and _, without a digit or __ at the start",
        ),
    ],
)
def test_a_label_that_cannot_be_added_is_refused(home, capsys, label, message):
    with pytest.raises(SystemExit):
        history(home, "--from", "2025-06-01", "--label", label, *files(home))
    assert capsys.readouterr().err == f"fusionsolar-exporter: argument --label: {message}\n"
