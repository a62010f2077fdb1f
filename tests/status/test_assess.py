"""The health of accounts, interfaces and plants, and what of it needs attention."""

from dataclasses import replace

import pytest
from status import samples
from status.samples import (
    HOME,
    LATE,
    REALTIME,
    REFUSAL,
    ROOF,
    status,
    with_counts,
    with_interface,
    with_plants,
)

from exporter.status.assess import (
    Level,
    assess_account,
    assess_interface,
    assess_plant,
    plant_level,
)
from exporter.status.model import CallCounts, FailureStatus, PlantStatus
from exporter.web.status_page import build_view


def view(*accounts):
    return build_view(status(*accounts))


@pytest.mark.parametrize(
    ("accounts", "headline", "level"),
    [
        ((), "No account yet", Level.WAIT),
        ((HOME,), "All is well", Level.GOOD),
        ((HOME, samples.STARTING), "Starting up", Level.WAIT),
        ((HOME, samples.REFUSED), "1 thing needs attention", Level.BAD),
        ((samples.STARTING, samples.REFUSED), "1 thing needs attention", Level.BAD),
    ],
)  # fmt: skip
def test_the_headline_tells_the_worst(accounts, headline, level):
    shown = view(*accounts).headline
    assert (shown.word, shown.level) == (headline, level)


@pytest.mark.parametrize(
    ("plants", "headline", "level"),
    [
        ([{"minor": 3}], "All is well", Level.GOOD),
        ([{"major": 1}], "1 major alarm needs attention", Level.WARN),
        ([{"major": 1}, {"major": 2}], "3 major alarms need attention", Level.WARN),
        ([{"critical": 1, "warning": 9}, {"major": 2}],
         "1 critical alarm and 2 major alarms need attention", Level.BAD),
    ],
)  # fmt: skip
def test_the_headline_names_the_alarms_that_matter(plants, headline, level):
    roofs = [replace(ROOF, code=str(n), alarms=alarms) for n, alarms in enumerate(plants)]
    shown = view(with_plants(*roofs)).headline
    assert (shown.word, shown.level) == (headline, level)


def test_the_headline_counts_whatever_else_there_is():
    plants = (samples.FIELD, replace(samples.FIELD, code="NE=3", alarms={"major": 2}))
    account = replace(with_interface(replace(REALTIME, failures=(REFUSAL,))), plants=plants)
    shown = view(account, samples.REFUSED).headline
    assert shown.word == "1 critical alarm, 2 major alarms and 3 more things need attention"


@pytest.mark.parametrize("kept", [True, None])
def test_a_state_that_is_written_or_declined_needs_no_attention(kept):
    assert view(with_counts(state_kept=kept)).issues == []


def test_a_state_that_cannot_be_written_needs_attention():
    (issue,) = view(with_counts(state_kept=False)).issues
    assert issue.level is Level.WARN
    assert issue.text == (
        "State of account home: cannot be written, so a restart costs a login and calls too early. "
        "The log says why."
    )


@pytest.mark.parametrize(
    ("account", "word", "level"),
    [
        (HOME, "Up", Level.GOOD),
        (samples.STARTING, "Starting", Level.WAIT),
        (samples.REFUSED, "Credentials refused", Level.BAD),
        (replace(HOME, polling=replace(HOME.polling, logged_in=False, login_failure=LATE)),
         "Cannot log in", Level.BAD),
        (with_interface(replace(REALTIME, failures=(LATE,)), up=False), "No proper answer",
         Level.BAD),
        (with_counts(up=False), "Not heard of yet", Level.WAIT),
        (samples.PLANTLESS, "No plants", Level.WARN),
    ],
)  # fmt: skip
def test_an_account_has_a_state(account, word, level):
    health = assess_account(account)
    assert (health.word, health.level) == (word, level)


@pytest.mark.parametrize(
    ("changes", "permitted", "word", "level"),
    [
        ({}, True, "Answers", Level.GOOD),
        ({"unanswered": 3}, True, "Answers", Level.NOTE),
        ({"answered": 3}, True, "Asking", Level.WAIT),
        ({"batches": 0, "answered": 0}, None, "Nothing to ask", Level.NOTE),
    ],
)
def test_an_interface_has_a_state(changes, permitted, word, level):
    health = assess_interface(replace(REALTIME, **changes), CallCounts(permitted=permitted))
    assert (health.word, health.level) == (word, level)


@pytest.mark.parametrize(
    ("reasons", "permitted", "word"),
    [
        (["407"], None, "Refused"),
        (["407", "timeout"], None, "Failing"),
        (["http_429"], None, "Refused"),
        (["http_403", "407"], None, "Refused"),
        (["20618"], None, "Failing"),
        (["401"], False, "Not permitted"),
    ],
)
def test_an_interface_whose_calls_fail_needs_attention(reasons, permitted, word):
    failures = tuple(FailureStatus(reason, "in words") for reason in reasons)
    health = assess_interface(replace(REALTIME, failures=failures), CallCounts(permitted=permitted))
    assert (health.word, health.level) == (word, Level.WARN)


@pytest.mark.parametrize(
    ("plant", "word", "level"),
    [
        (ROOF, "Healthy", Level.GOOD),
        (replace(ROOF, health="disconnected"), "Disconnected", Level.WARN),
        (replace(ROOF, health="faulty"), "Faulty", Level.BAD),
        (replace(ROOF, health="unknown"), "Unknown", Level.NOTE),
        (replace(ROOF, health=None), "Unknown", Level.NOTE),
        (replace(ROOF, health=None, power=None, answered=0), "Silent", Level.WARN),
        (PlantStatus("NE=1", "Haus Müller"), "No values", Level.NOTE),
        (replace(ROOF, alarms={"minor": 1}), "Healthy", Level.NOTE),
        (replace(ROOF, alarms={"minor": 1, "major": 1}), "Healthy", Level.WARN),
        (replace(ROOF, alarms={"critical": 1}), "Healthy", Level.BAD),
        (replace(ROOF, inverters=2), "Healthy", Level.NOTE),
    ],
)  # fmt: skip
def test_a_plant_has_a_state_and_a_level(plant, word, level):
    health = assess_plant(plant, waiting=False)
    assert (health.word, plant_level(plant, health)) == (word, level)
