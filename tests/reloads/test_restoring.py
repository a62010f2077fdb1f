"""Accounts restore what they knew behind a daemon that answers already."""

import threading

import pytest
from daemon import TIMEOUT
from reloads.running import account, ready, wait, wait_until_restored
from structlog.testing import capture_logs

from exporter.account.poller import Poller
from exporter.account.store import Store
from exporter.exposition.page import NO_ACCOUNT, Format, IncompleteError

pytestmark = pytest.mark.slow


class HeldRestoring:
    """Delays the restoring of all accounts `after` so many, until `end` is set."""

    def __init__(self, monkeypatch, after):
        self.begun = []
        self.end = threading.Event()
        self._after = after
        self._restore = Poller.restore
        monkeypatch.setattr(Poller, "restore", lambda poller: self(poller))  # noqa: PLW0108  # a method

    def __call__(self, poller):
        self.begun.append(threading.current_thread().name)
        if len(self.begun) > self._after:
            assert self.end.wait(TIMEOUT)
        self._restore(poller)


@pytest.fixture
def hold_restoring(monkeypatch):
    held = []
    yield lambda after: held.append(HeldRestoring(monkeypatch, after)) or held[0]
    for each in held:
        each.end.set()


def both_accounts(server):
    return account(server.url), account(server.url, name="other", username="other")


def test_there_is_no_page_but_a_reason_until_every_account_is_restored(
    server, start_accounts, tmp_path, hold_restoring
):
    held = hold_restoring(after=1)
    running = start_accounts(tmp_path, *both_accounts(server))
    wait(lambda: len(held.begun) == 2)
    (last,) = {"home", "other"} - {held.begun[0].removeprefix("poller ")}

    reason = f"restoring: 1 of 2 accounts done, not yet {last}"
    with pytest.raises(IncompleteError, match=f"^{reason}$"):
        running.accounts.parts(Format.TEXT)
    assert running.accounts.waiting()[0] == reason
    with pytest.raises(IncompleteError, match=f"^{reason}$"):
        running.accounts.parts(Format.TEXT, [last])
    (first,) = {"home", "other"} - {last}
    wait(lambda: running.accounts.parts(Format.TEXT, [first]))
    assert running.accounts.parts(Format.TEXT, [NO_ACCOUNT])
    assert f"{last}: its state is being restored" in running.accounts.waiting()
    assert {each.name: each.polling.waiting for each in running.accounts.status().accounts}[
        last
    ] == ("its state is being restored",)

    held.end.set()
    wait_until_restored(running)
    assert running.value("fusionsolar_plants", account=last) is not None


def test_an_account_that_is_restored_polls_while_another_restores(
    management, server, start_accounts, tmp_path, hold_restoring
):
    held = hold_restoring(after=1)
    start_accounts(tmp_path, *both_accounts(server))
    wait(lambda: len(held.begun) == 2)
    user = {"poller home": "api", "poller other": "other"}[held.begun[0]]

    wait(lambda: management.calls.of(user, "getDevRealKpi").arrivals)

    assert {user for user, _ in management.calls.accounts()} == {user}


def test_an_account_whose_restoring_breaks_goes_without_and_stops_nobody(
    server, start_accounts, tmp_path, monkeypatch
):
    load = Store.load

    def breaking(store, *, calls_only):
        load(store, calls_only=calls_only)
        if threading.current_thread().name == "poller home" and not calls_only:
            raise RuntimeError("a bug")

    monkeypatch.setattr(Store, "load", breaking)
    with capture_logs() as logs:
        running = ready(start_accounts(tmp_path, *both_accounts(server)))

    errors = [entry for entry in logs if entry["log_level"] == "error"]
    assert [(entry["event"], entry["account"]) for entry in errors] == [
        ("bug in restoring the state, continuing without it", "home")
    ]
    assert running.value("fusionsolar_exporter_errors_total", part="poller") == 1
    assert running.value("fusionsolar_plants", account="home") == 1
    assert running.value("fusionsolar_plants", account="other") == 1


def test_an_account_that_ends_while_it_waits_restores_nothing_and_calls_nobody(
    management, server, start_accounts, tmp_path, hold_restoring
):
    held = hold_restoring(after=0)
    running = start_accounts(tmp_path, *both_accounts(server))
    wait(lambda: held.begun)
    first = held.begun[0].removeprefix("poller ")
    (stays,) = (each for each in both_accounts(server) if each["name"] == first)
    done = []

    reload = threading.Thread(target=lambda: done.append(running.change(stays)))
    reload.start()
    wait(lambda: list(running.threads()) == [f"poller {first}"])
    held.end.set()
    reload.join()

    assert done == [None]
    assert held.begun == [f"poller {first}"]
    assert {user for user, _ in management.calls.accounts()} <= {stays["username"]}


def test_the_page_stays_as_it_was_while_a_changed_account_restores(
    server, run, tmp_path, monkeypatch
):
    running = ready(run(tmp_path, account(server.url)))
    before = running.series().keys()
    restore, seen = Poller.restore, []

    def check(poller):
        seen.append(running.series().keys())
        restore(poller)
        seen.append(running.series().keys())

    monkeypatch.setattr(Poller, "restore", check)
    running.change(account(server.url, timeout="3s"))

    assert seen == [before, before]
