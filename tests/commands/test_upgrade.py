"""`upgrade`: nothing is ordered by accident, and each device hears what became of its order."""

import io
import json

import pytest
from commands.world import expected, world

from exporter.simulator.http.sessions import User

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path):
    with world(tmp_path, plants=2) as made:
        made.system.upgrades.set_outcome(made.device(1).id)
        made.system.upgrades.set_outcome(made.device(1, 1).id, refusal=20021)
        yield made


class Terminal(io.StringIO):
    def isatty(self):
        return True


def refusal_of(home, capsys, *arguments):
    """The one line of a refused command."""
    with pytest.raises(SystemExit) as ended:
        home.run("upgrade", "start", *arguments)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert home.calls("devUpgrade") == 0
    return err.removeprefix("fusionsolar-exporter: ").rstrip("\n")


def test_each_device_has_a_result(home, capsys):
    ids = home.device(1).id, home.device(1, 1).id

    assert home.run("upgrade", "start", "--device", ids[0], "--device", ids[1], "--yes") == 1

    assert capsys.readouterr().out == expected("upgrade_start")
    assert home.calls("devUpgrade") == home.calls("login") == 1


def test_status_0_when_all_orders_are_accepted(home):
    assert home.run("upgrade", "start", "--device", home.device(1).id, "--yes") == 0


def test_results_as_json_stand_alone(home, capsys):
    home.run(
        *("upgrade", "start", "--device", f"Inverter,{home.device(1, 1).esn}"),
        *("--yes", "--format", "json"),
    )

    assert json.loads(capsys.readouterr().out) == [
        {"device_id": "-214543629611879", "device_name": "Inverter", "result": "accepted",
         "words": ""},
        {"device_id": "1000000033021617", "device_name": "Inverter 1", "result": "refused",
         "words": "the upgrade file is missing; upload it to the management system [20021]"},
    ]  # fmt: skip


def test_the_status_of_all_that_can_be_upgraded(home, capsys):
    home.run("upgrade", "start", "--device", home.device(1).id, "--yes")
    capsys.readouterr()
    home.clock.pass_by(300)

    assert home.run("upgrade", "status") == 0

    assert capsys.readouterr().out == expected("upgrade_status")
    assert home.calls("getDevList") == 1  # the fleet was known from the command before


def test_the_status_of_one_device_as_json(home, capsys):
    home.run("upgrade", "start", "--device", home.device(1).id, "--yes")
    capsys.readouterr()
    home.clock.pass_by(300)

    assert home.run("upgrade", "status", "--device", "Inverter", "--format", "json") == 0

    (record,) = json.loads(capsys.readouterr().out)
    assert record == {
        "device_id": "-214543629611879",
        "device_name": "Inverter",
        "state": "upgrading",
        "progress": pytest.approx(0.444),
        "last_upgrade": 1_750_852_800.0,
        "source_version": "V100R001C00SPC161",
        "target_version": "V100R001C00SPC162",
        "words": "",
    }


def test_never_upgraded_is_no_failure(home, capsys):
    assert home.run("upgrade", "status", "--device", "Inverter") == 0
    assert "never_upgraded" in capsys.readouterr().out


def test_a_refused_status_hints_at_the_permission_it_needs(tmp_path, capsys):
    user = User("pa55word=with;signs", refused=frozenset({"devUpgrade"}))
    with world(tmp_path, users={"api": user}) as home:
        assert home.run("upgrade", "status") == 1

    assert "it needs the permission of devUpgrade as well" in capsys.readouterr().out


def test_a_call_that_is_refused_refuses_each_of_its_devices(tmp_path, capsys):
    user = User("pa55word=with;signs", refused=frozenset({"devUpgrade"}))
    with world(tmp_path, users={"api": user}) as home:
        assert home.run("upgrade", "start", "--device", "Inverter", "--yes") == 1

    assert "refused: this account may not use the interface" in capsys.readouterr().out


def test_an_order_without_an_answer_is_not_given_again(home, capsys):
    home.system.faults.add("empty_body", interface="devUpgrade")
    home.system.faults.add("http_status", interface="getDevUpgradeInfo", value=502)

    assert home.run("upgrade", "start", "--device", "Inverter", "--yes") == 1

    assert "Inverter  unknown" in capsys.readouterr().out
    assert home.calls("devUpgrade") == 1


def test_orders_go_ten_at_a_time_and_type_by_type(tmp_path):
    with world(tmp_path, plants=4, devices=52) as home:
        types = [d.type_id for d in home.system.fleet.devices.values() if d.type_id in (1, 38)]
        named = ",".join(
            str(d.id) for d in home.system.fleet.devices.values() if d.type_id in (1, 38)
        )
        home.run("upgrade", "start", f"--device={named}", "--yes")

        calls = -(-types.count(1) // 10) + -(-types.count(38) // 10)
        assert types.count(1) > 10
        assert calls >= 3
        assert home.calls("devUpgrade") == calls
        assert home.refused() == 0
        assert home.clock.waits == [61] * (calls - 1)


@pytest.mark.parametrize(
    ("named", "line"),
    [
        (["Battery"], "Battery is a battery, which cannot be upgraded"),
        (["nonsense"], "nonsense is no device of this account"),
        (["Inverter,Inverter"], "Inverter is named twice"),
        (["Inverter", "-214543629611879"], "-214543629611879 is named twice"),
        (["x", "y"], "x is no device of this account; y is no device of this account"),
    ],
)  # fmt: skip
def test_what_cannot_be_upgraded_is_refused_before_any_order(home, capsys, named, line):
    flags = [part for name in named for part in ("--device", name)]
    assert refusal_of(home, capsys, *flags, "--yes") == f"--device: {line}"


def test_a_name_that_means_several_devices_is_refused_with_their_ids(tmp_path, capsys):
    with world(tmp_path, plants=7) as home:
        line = refusal_of(home, capsys, "--device", "Inverter", "--yes")
        ids = [str(d.id) for d in home.system.fleet.devices.values() if d.name == "Inverter"]

    assert line == f"--device: Inverter may be any of {', '.join(ids)}"


def test_where_nobody_can_be_asked_yes_is_needed(home, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    line = refusal_of(home, capsys, "--device", "Inverter")

    assert line == "upgrade start: nobody can be asked here, so --yes is needed"
    assert home.calls("login") == 0


@pytest.mark.parametrize(
    ("answer", "orders"), [("y\n", 1), ("Yes\n", 1), ("n\n", 0), ("\n", 0), ("", 0)]
)
def test_a_person_is_asked(home, capsys, monkeypatch, answer, orders):
    monkeypatch.setattr("sys.stdin", Terminal(answer))

    status = home.run("upgrade", "start", "--device", "Inverter")

    assert "Upgrade 1 device? [y/N] " in capsys.readouterr().err
    assert home.calls("devUpgrade") == orders
    assert status == 1 - orders


def test_of_several_accounts_one_has_to_be_named(home, capsys):
    account = {"base_url": home.url, "username": "api", "password": "pa55word=with;signs"}
    home.configure(accounts=[{"name": "a", **account}, {"name": "b", **account}])

    line = refusal_of(home, capsys, "--device", "Inverter", "--yes")
    assert line == "--account is needed, one of a, b"
    line = refusal_of(home, capsys, "--device", "Inverter", "--yes", "--account", "c")
    assert line == "--account c: there is no such account, only a, b"
    assert home.run("upgrade", "status", "--account", "b") == 0


def test_without_a_state_directory_it_warns_of_the_daemons_session(home, capsys):
    home.configure(state=False)

    home.run("upgrade", "status")

    assert capsys.readouterr().err == (
        "without a state directory a running daemon's session ends with this login\n"
    )


def test_a_state_directory_that_cannot_be_used_is_named_with_the_reason(home, capsys):
    home.state.touch()

    home.run("upgrade", "status")

    told = capsys.readouterr().err
    assert f'directory={home.state} reason="File exists"' in told
    assert "the state directory cannot be used: a running daemon's session ends with" in told


@pytest.mark.parametrize(
    ("fault", "value", "told"),
    [
        ("fail_code", 401, "this account may not use the interface; grant it"),
        ("http_status", 502, "the server did not answer the call [http_502]"),
    ],
)
def test_without_any_plant_list_it_tells_of_the_refusal_behind_the_last_one(
    tmp_path, capsys, fault, value, told
):
    user = User("pa55word=with;signs", refused=frozenset({"getStationList"}))
    with world(tmp_path, users={"api": user}) as home:
        home.system.faults.add(fault, interface="stations", value=value)
        assert home.run("upgrade", "status") == 1

    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("fusionsolar-exporter: this account may not use the interface; grant it")
    _, later = line.split(" [401]; asked in another way: ")
    assert later.startswith(told)


def test_beside_a_daemon_its_session_orders(home):
    with home.daemon():
        home.clock.pass_by(300)
        assert home.run("upgrade", "start", "--device", "Inverter", "--yes") == 0

    assert home.calls("login") == 1
    assert home.refused() == 0
