from collections import Counter

import pytest

from exporter.northbound.errors import (
    FAIL_CODES,
    RATE_LIMITED,
    REASONS,
    ROWS,
    Fault,
    Reaction,
    fail_code_error,
    named_error,
    reason_error,
    status_error,
)

REFERENCE = {305, 401, 407, *range(20001, 20028)}
LATER = {
    306, 307, 20028, 20029, 20045, 20046, 20055, 20056, 20200, 20400, 20403, *range(20604, 20613),
    20614, 20618, *range(20621, 20627), 20629, 20631,
    30004, 30005, 30006, 30007, 30008, 30017, 30021, 30022, *range(30029, 30033), 30034, 30040,
}  # fmt: skip
# About orders to devices, of which the exporter gives only those of the reference.
ORDERS = {
    20030, *range(20034, 20045), *range(20047, 20052), 20116, 20613, *range(20615, 20618),
    20619, 20620, 30001, 30002, 30003, *range(30009, 30017), *range(30018, 30021),
    *range(30023, 30029), 30033, *range(30035, 30038),
}  # fmt: skip

REACTIONS = {
    Reaction.LOG_IN: {305, 306, 307},
    Reaction.BACK_OFF: {407, 20200},
    Reaction.NEXT_DAY: {20618},
    Reaction.SKIP_MEMBER: {20609, 20610, 20614, *range(20623, 20627), 20629, 20631},
    Reaction.SPLIT: {20014, 20015, 20016, 20017, 20018, 30031},
    Reaction.SUSPEND: {401, 20009, 20013, 20029},
    Reaction.REREAD_FLEET: {20006, 20007, 20008, 20045, 20046, 20056, 20621, 20622, 30017},
    Reaction.REFUSE_CREDENTIALS: {20001, 20002, 20003, 20400, 20403, 30029},
}


def test_the_table_holds_every_code_of_the_reference_and_of_newer_servers():
    assert set(FAIL_CODES) == REFERENCE | LATER | ORDERS
    assert len(REFERENCE) == 30


def test_no_code_has_two_rows():
    assert [row.code for row in ROWS] == list(FAIL_CODES)


def test_every_code_has_its_reaction():
    listed = {code: reaction for reaction, codes in REACTIONS.items() for code in codes}
    assert {code: row.reaction for code, row in FAIL_CODES.items()} == {
        code: listed.get(code, Reaction.NEXT_TURN) for code in REFERENCE | LATER | ORDERS
    }


def test_no_two_codes_mean_the_same_but_those_of_orders():
    meanings = Counter(row.meaning for row in FAIL_CODES.values())
    (orders,) = {FAIL_CODES[code].meaning for code in ORDERS}
    assert meanings.pop(orders) == len(ORDERS)
    assert set(meanings.values()) == {1}


def test_parked_and_refused_accounts_are_told_that_it_is_theirs_to_mend():
    mendable = {
        row.fault
        for row in FAIL_CODES.values()
        if row.reaction in {Reaction.SUSPEND, Reaction.REFUSE_CREDENTIALS} and row.code != 20013
    }
    assert mendable == {Fault.OWNER}


def test_missing_kpis_must_be_configured_first():
    assert "configure" in FAIL_CODES[20009].meaning
    assert "first" in FAIL_CODES[20009].meaning


def test_a_fail_code_is_the_management_system_speaking():
    error = fail_code_error(407)
    assert (error.reason, error.reaction, error.enveloped) == ("407", Reaction.BACK_OFF, True)
    assert str(error) == f"407: {FAIL_CODES[407].meaning}"


@pytest.mark.parametrize("code", [1, 20999, 99_999])
def test_an_unknown_code_is_its_own_reason(code):
    error = fail_code_error(code)
    assert (error.reason, error.reaction, error.meaning, error.enveloped) == (
        str(code), Reaction.NEXT_TURN, "not documented", True,
    )  # fmt: skip


@pytest.mark.parametrize("code", [-1, 100_000, 10**400])
def test_a_number_that_is_no_code_makes_no_label_value(code):
    assert fail_code_error(code).reason == "malformed"


@pytest.mark.parametrize(
    ("status", "reaction"),
    [
        (401, Reaction.LOG_IN),
        (403, Reaction.PAUSE),
        (429, Reaction.PAUSE),
        (404, Reaction.NEXT_TURN),
        (500, Reaction.NEXT_TURN),
        (502, Reaction.NEXT_TURN),
    ],
)
def test_a_status_is_a_reason_and_no_envelope(status, reaction):
    error = status_error(status)
    assert (error.reason, error.reaction, error.enveloped) == (f"http_{status}", reaction, False)


@pytest.mark.parametrize("word", sorted(REASONS))
def test_every_name_makes_a_failure_that_waits_for_its_next_turn(word):
    error = named_error(word)
    assert (error.reason, error.reaction, error.enveloped) == (word, Reaction.NEXT_TURN, False)
    assert error.meaning == REASONS[word]


@pytest.mark.parametrize("reason", sorted(RATE_LIMITED))
def test_a_call_refused_for_its_frequency_is_waited_out(reason):
    assert reason_error(reason).reaction in {Reaction.BACK_OFF, Reaction.PAUSE}
