"""An account that signs in by OAuth: the daemon, the commands beside it, and what they tell."""

import os
from pathlib import Path

import pytest
from commands.world import PASSWORD, run_check, trial, world

from exporter.account.refresh_token import RefreshTokenFile

pytestmark = pytest.mark.slow

MINUTE, HOUR = 60, 3_600
SEE = "see docs/oauth.md"


class Application:
    """A world whose account is an OAuth client, which an owner has authorised."""

    def __init__(self, home, **auth):
        self.home = home
        self.token = home.directory / "refresh-token"
        self.oauth = home.system.oauth
        self.auth = {
            "type": "oauth",
            "client_id": "api",
            "client_secret": PASSWORD,
            "refresh_token_file": str(self.token),
            "token_url": f"{home.url}/rest/dp/uidm/oauth2/v1/token",
            **auth,
        }
        self.configure()
        self.authorize()

    def configure(self, **auth):
        account = {"name": "home", "base_url": self.home.url, "auth": {**self.auth, **auth}}
        self.home.configure(accounts=[account])

    def authorize(self):
        """An owner authorises the client, as by `authorize`."""
        RefreshTokenFile(self.token).write(self.oauth.agree("api"))

    @property
    def newest(self):
        return self.token.read_text().strip()

    def refreshes(self):
        """How many access tokens were given."""
        return self.oauth.bought


@pytest.fixture
def application(tmp_path):
    with world(tmp_path, clients={"api": PASSWORD}) as home:
        yield Application(home)


# check


def test_check_walks_all_that_a_client_may(application, capsys):
    before = application.newest
    status, account, _ = run_check(application.home, capsys)

    assert status == 0
    assert trial(account, "login")["words"] == "logged in"
    assert {each["outcome"] for each in account["interfaces"]} == {"permitted"}
    assert (application.home.refused(), application.oauth.reused, application.refreshes()) == (
        0,
        0,
        1,
    )
    assert application.newest != before
    assert application.home.calls("getDevRealKpi") > 0


def test_the_next_command_goes_on_with_the_token(application, capsys):
    run_check(application.home, capsys)
    _, account, _ = run_check(application.home, capsys)
    assert trial(account, "login")["words"] == "the session from before is used"
    assert application.refreshes() == 1


def test_a_token_that_has_expired_between_two_commands_is_renewed(application, capsys):
    run_check(application.home, capsys)
    application.home.clock.pass_by(HOUR)
    status, account, _ = run_check(application.home, capsys)
    assert status == 0
    assert trial(account, "login")["words"] == "logged in"
    assert (application.refreshes(), application.oauth.reused) == (2, 0)


def test_a_token_that_was_withdrawn_is_renewed_once_and_the_call_repeated(application, capsys):
    run_check(application.home, capsys)
    application.home.clock.pass_by(10 * MINUTE)
    application.home.system.faults.add(
        "http_status", interface="getStationList", value=401, count=1
    )
    status, _, _ = run_check(application.home, capsys)
    assert (status, application.refreshes()) == (0, 2)


def test_without_a_refresh_token_check_says_how_to_get_one(application, capsys):
    application.token.unlink()
    status, account, _ = run_check(application.home, capsys)
    login = trial(account, "login")
    assert status == 1
    assert (login["outcome"], login["reason"], login["remedy"]) == (
        "not tried",
        "no_refresh_token",
        SEE,
    )
    assert login["words"] == (
        "there is no refresh token in refresh_token_file; run `fusionsolar-exporter authorize` "
        "[no_refresh_token]"
    )


def test_a_withdrawn_authorisation_is_a_refusal(application, capsys):
    application.oauth.withdraw()
    status, account, _ = run_check(application.home, capsys)
    login = trial(account, "login")
    assert status == 1
    assert (login["outcome"], login["reason"], login["remedy"]) == ("refused", "invalid_grant", SEE)
    assert "run `fusionsolar-exporter authorize`" in login["words"]


def test_a_token_server_that_is_away_is_no_refusal(application, capsys):
    application.home.system.faults.add("http_status", interface="token", value=503)
    _, account, _ = run_check(application.home, capsys)
    login = trial(account, "login")
    assert (login["outcome"], login["reason"]) == ("unreachable", "http_503")


# The daemon


def test_a_daemon_renews_its_token_hour_by_hour_and_no_call_is_refused(application):
    with application.home.daemon() as daemon:
        application.home.clock.pass_by(5.5 * HOUR)
        assert daemon.ready
    assert application.refreshes() == 6
    assert (application.home.refused(), application.oauth.reused) == (0, 0)
    assert application.newest in application.oauth.refresh_tokens


def test_a_restart_costs_no_refresh_token(application):
    for _ in range(3):
        with application.home.daemon():
            application.home.clock.pass_by(5 * MINUTE)
    assert application.refreshes() == 1


def test_a_command_beside_a_daemon_has_its_token_and_never_buys_one(application, capsys):
    with application.home.daemon():
        application.home.clock.pass_by(10 * MINUTE)
        status, account, _ = run_check(application.home, capsys)
    assert status == 0
    assert trial(account, "login")["words"] == "the session from before is used"
    assert (application.refreshes(), application.home.refused()) == (1, 0)


def test_a_lost_authorisation_is_told_everywhere_and_a_new_one_taken_up_by_itself(application):
    clock = application.home.clock
    with application.home.daemon() as daemon:
        clock.pass_by(10 * MINUTE)
        application.oauth.withdraw()
        clock.pass_by(20 * MINUTE)
        assert daemon.report.refusal.reason == "invalid_grant"
        assert "run `fusionsolar-exporter authorize`" in daemon.report.refusal.meaning
        refreshes = application.refreshes()

        application.authorize()
        clock.pass_by(2 * MINUTE)

        assert application.refreshes() == refreshes + 1
        assert daemon.report.refusal is None
        assert daemon.report.logged_in


def test_a_daemon_without_a_refresh_token_waits_for_one(application):
    clock = application.home.clock
    application.token.unlink()
    with application.home.daemon() as daemon:
        clock.pass_by(2 * MINUTE)
        assert daemon.waiting[0] == (
            "the credentials are refused (no_refresh_token: there is no refresh token in "
            "refresh_token_file; run `fusionsolar-exporter authorize`)"
        )
        application.authorize()
        clock.pass_by(3 * MINUTE)
        assert daemon.report.logged_in
        assert application.refreshes() == 1


def test_a_refused_token_is_not_tried_again_and_again(application):
    application.oauth.withdraw()
    with application.home.daemon():
        application.home.clock.pass_by(2 * HOUR)
    assert application.oauth.reused == 5  # now, after 15 minutes, and every 30


def test_a_refused_token_is_not_tried_at_once_after_a_restart(application):
    application.oauth.withdraw()
    for _ in range(3):
        with application.home.daemon():
            application.home.clock.pass_by(2 * MINUTE)
    assert application.oauth.reused == 1


def test_a_refresh_token_that_cannot_be_kept_waits_in_memory(application, monkeypatch):
    before, clock = application.newest, application.home.clock

    def full_for_others(file, sync=os.fsync):
        written = Path(f"/proc/self/fd/{file}")
        if written.is_file() and written.read_text() != f"{before}\n":
            raise OSError(28, "No space left on device")
        sync(file)

    monkeypatch.setattr(os, "fsync", full_for_others)
    with application.home.daemon() as daemon:
        clock.pass_by(5 * MINUTE)
        assert daemon.report.login_failure.reason == "refresh_token_unsaved"
        assert (application.refreshes(), application.newest) == (1, before)
        assert application.home.all_calls() == {}

        monkeypatch.undo()
        clock.pass_by(6 * MINUTE)

        assert daemon.report.logged_in
    assert (application.refreshes(), application.oauth.reused) == (2, 0)
    assert application.newest in application.oauth.refresh_tokens


def test_while_another_process_signs_in_a_daemon_waits(application):
    with RefreshTokenFile(application.token).locked(), application.home.daemon() as daemon:
        application.home.clock.pass_by(MINUTE)
        assert daemon.report.login_failure.reason == "refresh_token_busy"
    assert application.refreshes() == 0


def test_an_xsrf_token_that_a_server_hands_out_is_not_taken(application):
    application.home.system.faults.add("new_token", interface="getDevRealKpi", count=1)
    with application.home.daemon():
        application.home.clock.pass_by(20 * MINUTE)
    assert application.refreshes() == 1
    assert application.home.refused() == 0


def test_a_server_that_gives_no_next_refresh_token_keeps_the_first(tmp_path):
    with world(tmp_path, clients={"api": PASSWORD}, rotates=False) as home:
        application = Application(home)
        before = application.newest
        with home.daemon():
            home.clock.pass_by(2.5 * HOUR)
        assert (application.refreshes(), application.newest) == (3, before)
