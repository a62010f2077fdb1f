"""A table of faults against the real process: each costs what it must, says so, and passes.

All rows of the table run at once, in one process with an account for each; see faults/table.py.
"""

from collections import Counter

import pytest
from faults.scenario import is_well, observe, recovered
from faults.table import DEVICES, LOGIN, PLANTS, POISONED, SHORT, TABLE

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("requested")]

MEGABYTE = 1024  # kB
every_row = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)


def rows(**having):
    chosen = [row for row in TABLE if all(getattr(row, k) == v for k, v in having.items())]
    assert chosen
    return pytest.mark.parametrize("row", chosen, ids=lambda row: row.name)


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    return observe(tmp_path_factory.mktemp("faults"))


@every_row
def test_the_metrics_name_the_fault_and_nothing_else(observed, row):
    failures = observed.during.failures(row)
    # Whoever loses the session learns it from whichever call comes next.
    losses = {(at, "305") for at in (PLANTS, DEVICES)} if row.session_ends or row.lost else set()
    expected = {(row.at, row.reason)} if row.reason else set()
    if not row.plants_unaffected and row.at == DEVICES:
        expected |= {(PLANTS, row.reason)}
    if not row.plants_unaffected and row.reason == "http_503":
        expected |= {(LOGIN, row.reason)}  # tried once, as nothing answers properly
    if row.reason:
        assert (row.at, row.reason) in failures or row.server == "stealing"
    # Of a healthy answer, too, a busy machine may make a late one where the time is short.
    late = {(at, "timeout") for at in (PLANTS, DEVICES)} if row.timeout == SHORT else set()
    assert set(failures) <= expected | losses | late


@every_row
def test_an_account_is_up_as_long_as_its_server_answers_properly(observed, row):
    assert observed.during.value(row, "fusionsolar_up") == row.up


@rows(values="stay")
def test_values_stay_where_answers_still_bring_them(observed, row):
    assert all(len(look.devices(row)) == row.inverters for look in observed.trouble)


@rows(values="age")
def test_values_stay_until_they_are_too_old(observed, row):
    failing = [look for look in observed.trouble if look.failures(row)]
    assert failing[0].devices(row)
    assert not observed.during.devices(row)


@rows(values="go")
def test_values_go_at_once_when_an_answer_leaves_them_out(observed, row):
    assert observed.during.failures(row) == {}
    assert not observed.during.devices(row)


@rows(values="never")
def test_without_a_login_there_are_no_values_and_no_readiness(observed, row):
    assert not observed.before.devices(row)
    assert f"{row.name}: " in observed.not_ready


@rows(plants_unaffected=True)
def test_the_accounts_other_interface_goes_on(observed, row):
    assert observed.during.last_success(row, PLANTS) > observed.before.last_success(row, PLANTS)


@every_row
def test_refusals_for_the_load_are_counted_as_such(observed, row):
    assert bool(observed.during.sum(row, "fusionsolar_api_rate_limited_total")) == row.rate_limited


@every_row
def test_a_lost_session_is_counted_when_somebody_else_uses_the_account(observed, row):
    assert bool(observed.during.sum(row, "fusionsolar_api_sessions_lost_total")) == row.lost
    logs = [line for line in observed.log.splitlines() if f"account={row.name} " in line]
    assert any("another program logs in" in line for line in logs) == row.lost


@every_row
def test_permission_is_what_the_last_answer_says(observed, row):
    name, labels = "fusionsolar_interface_permitted", f'interface="{DEVICES}"'
    said = {look.accounts[row.name].get((name, labels), 1.0) for look in observed.trouble}
    assert (0.0 in said) is not row.permitted


@every_row
def test_no_fault_makes_us_call_too_often(observed, row):
    assert observed.refusals[row.name] == 0


@every_row
def test_it_recovers_by_itself(observed, row):
    assert recovered(row, observed.after, observed.ended)


@every_row
def test_it_goes_on_after_a_suspension(observed, row):
    assert recovered(row, observed.woken, observed.woke)


@rows(needs_reload=True)
def test_what_is_suspended_for_long_goes_on_at_once_after_a_reload(observed, row):
    assert not is_well(row, observed.woken, observed.ended)
    assert is_well(row, observed.reloaded, observed.reload)


@rows(recovers=False, at=LOGIN, reason="20400")
def test_a_wrong_password_is_tried_once_and_named(observed, row):
    assert observed.logins[row.name] == 1
    assert f"{row.name}: the credentials are refused (20400: " in observed.not_ready


@rows(lost=True)
def test_a_thief_is_not_answered_with_a_login_for_each_of_theirs(observed, row):
    failures = observed.during.failures(row).values()
    assert observed.logins[row.name] <= sum(failures) + 2


@rows(name="poisoned_device")
def test_one_device_that_fails_its_batch_costs_the_others_nothing_lasting(observed, row):
    others = {f'device_id="{n}",plant_code="NE=1"' for n in range(1, 101) if n != POISONED}
    assert others in [look.devices(row) for look in observed.trouble]


def test_a_redirect_to_another_host_is_never_followed(observed):
    assert not observed.redirects_followed


def test_no_series_is_there_twice(observed):
    for look in (observed.before, *observed.trouble, observed.after, observed.woken):
        series = [
            line.rpartition(" ")[0] for line in look.page.splitlines() if not line.startswith("#")
        ]
        assert max(Counter(series).values()) == 1


def test_no_thread_dies_and_none_is_left_over(observed):
    # Those who recovered are alive; the others wait for a login that is a long time off. Beside
    # them there are the server's, its few helpers, and a deadline for each call under way.
    assert len(TABLE) < observed.threads <= 2 * len(TABLE) + 8


def test_memory_is_bounded_by_the_largest_answer(observed):
    largest = 64 * MEGABYTE  # which is where the client stops reading
    assert observed.memory["most"] < observed.memory["before"] + 4 * largest
    assert observed.memory["after"] < observed.memory["before"] + largest


def test_nothing_is_an_error_of_ours(observed):
    assert observed.status == 0
    assert [line for line in observed.log.splitlines() if "level=error" in line] == []
    assert "Traceback" not in observed.log


def test_a_fault_is_logged_when_it_comes_and_when_it_goes_not_call_by_call(observed):
    lines = Counter(
        line.partition(" account=")[2].partition(" ")[0] for line in observed.log.splitlines()
    )
    failures = {row.name: sum(observed.woken.failures(row).values()) for row in TABLE}
    quiet = [row.name for row in TABLE if not row.lost]  # a lost session is told each time
    assert {name: lines[name] for name in quiet if lines[name] > 12} == {}
    assert max(failures.values()) > 5
