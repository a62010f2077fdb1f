"""What `check` says to do about a refused login, and about refusals that look like one."""

import json

import pytest
from commands.world import PASSWORD, run_check, trial, world

from exporter.simulator.http.answers import Answer

pytestmark = pytest.mark.slow

NORTHBOUND = (
    "check user name and password; a portal login does not work here, only a northbound account: "
    "see docs/northbound-account.md"
)


def test_an_empty_answer_to_the_login_is_about_credentials(tmp_path, capsys):
    with world(tmp_path, silent_login=True) as home:
        home.configure(account={"password": "wrong"})
        status, account, _ = run_check(home, capsys)

    assert status == 1
    assert trial(account, "login")["outcome"] == "refused"
    assert trial(account, "login")["remedy"] == NORTHBOUND


CODE_20400 = (
    "if name and password are right, stop what else uses the account and try again in half an "
    "hour: five wrong passwords in ten minutes lock it for so long"
)


@pytest.mark.parametrize(
    ("fault", "value", "more"),
    [
        ("http_status", 401, ""),
        ("fail_code", 401, ""),
        ("fail_code", 20001, ""),
        ("fail_code", 20002, "an administrator of the company can enable the account"),
        ("fail_code", 20003, "an administrator of the company can extend the account"),
        ("fail_code", 20400, CODE_20400),
        (
            "fail_code",
            20403,
            "look at the account's status there, and whether it may log in from this address",
        ),
        ("fail_code", 30029, ""),
        ("fail_code", 20028, ""),
        ("fail_code", 29999, ""),  # which no document names
        ("fail_code", 305, ""),
        ("fail_code", 306, ""),
        ("fail_code", 307, ""),
    ],
)
def test_every_refused_login_names_the_portal_login_and_never_proposes_to_go_without(
    home, capsys, fault, value, more
):
    home.system.faults.add(fault, interface="login", value=value)

    status, account, _ = run_check(home, capsys)

    assert status == 1
    (login,) = account["interfaces"]
    assert login["outcome"] == "refused"
    assert login["remedy"] == "; ".join(filter(None, (NORTHBOUND, more)))


def test_where_no_plant_is_known_nothing_is_planned(home, capsys):
    home.system.faults.add("fail_code", interface="login", value=20400)

    assert home.run("check") == 1
    assert "PLAN" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fault", "value", "remedy"),
    [
        ("fail_code", 407, "wait an hour; does another program use the account?"),
        ("fail_code", 20200, "try again later"),
        ("http_status", 502, "try again later"),
        ("html", None, "is base_url the management system itself, and no portal or proxy?"),
    ],
)
def test_a_login_that_fails_for_other_reasons_says_nothing_about_the_password(
    home, capsys, fault, value, remedy
):
    home.system.faults.add(fault, interface="login", value=value)

    _, account, _ = run_check(home, capsys)

    assert trial(account, "login")["remedy"] == remedy


def test_a_login_that_must_wait_after_a_refusal_says_what_to_do_as_well(home, capsys):
    home.configure(account={"password": "wrong"})
    home.run("check")
    capsys.readouterr()

    _, account, _ = run_check(home, capsys)

    login = trial(account, "login")
    assert (login["outcome"], login["wait"]) == ("not tried", 900.0)
    assert login["remedy"] == f"{NORTHBOUND}; {CODE_20400}"


def test_a_refusal_whose_repetition_has_to_wait_is_told_as_one(home, capsys):
    home.system.faults.add("fail_code", interface="getAlarmList", value=305)

    status, account, _ = run_check(home, capsys)

    assert status == 1
    alarms = trial(account, "getAlarmList")
    assert (alarms["outcome"], alarms["reason"]) == ("refused", "305")
    assert alarms["words"].endswith(
        "; once more: the next call of getAlarmList is allowed in 1818 s"
    )
    assert alarms["remedy"].startswith("does another program use this account?")


def test_a_login_refused_in_words_alone_does_not_repeat_them(home, capsys):
    refusal = {"success": False, "failCode": 0, "data": None, "message": f"{PASSWORD} is wrong"}
    home.system.handle = lambda *_: Answer(body=json.dumps(refusal).encode())

    _, account, _ = run_check(home, capsys)

    assert PASSWORD not in trial(account, "login")["words"]
    assert 'says: ""' not in trial(account, "login")["words"]
    assert trial(account, "login")["remedy"] == NORTHBOUND


@pytest.mark.parametrize(
    ("fault", "value"), [("http_status", 401), ("fail_code", 20400), ("fail_code", 30029)]
)
def test_what_refuses_credentials_refuses_but_an_interface_where_others_answer(
    tmp_path, capsys, fault, value
):
    with world(tmp_path, limits="classic") as home:
        home.configure(account={"limits": "classic"})
        home.system.faults.add(fault, interface="getAlarmList", value=value)
        _, account, _ = run_check(home, capsys)

    assert trial(account, "getAlarmList")["remedy"] == (
        "or go without it: interfaces: {getAlarmList: {enabled: false}}"
    )


def test_a_session_that_ends_again_and_again_speaks_of_another_program(tmp_path, capsys):
    with world(tmp_path, limits="classic") as home:
        home.configure(account={"limits": "classic"})
        home.system.faults.add("fail_code", interface="getAlarmList", value=305)
        _, account, _ = run_check(home, capsys)

    assert trial(account, "getAlarmList")["remedy"] == (
        "does another program use this account? Each of its logins ends this session: "
        "give each program its own northbound account"
    )
