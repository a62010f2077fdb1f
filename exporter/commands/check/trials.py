"""Each enabled interface tried once, and what came of it, in plain words."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from math import ceil
from operator import attrgetter

from exporter.account.batches import Batch
from exporter.account.probe import Answer, NoSessionError, NotNowError, Probe
from exporter.commands.account_access import FAILURES, Failure, describe, explain
from exporter.commands.check.advice import REPORT_IT, advice, refused_login
from exporter.northbound.device_types import device_type_slug
from exporter.northbound.errors import (
    RATE_LIMITED,
    TOKEN_FILE_REASONS,
    CallError,
    reason_error,
)
from exporter.northbound.interfaces import (
    DEVICE_LIST,
    LOGIN,
    MINUTE,
    PLANT_LIST,
    Content,
    Interface,
)
from exporter.northbound.records import Reading, TimedReading
from exporter.status.text import count

PERMITTED, REFUSED, UNREACHABLE, NOT_TRIED = "permitted", "refused", "unreachable", "not tried"
EMPTY = "empty"  # a list of plants that leaves nothing to ask about
OUTCOMES = (PERMITTED, REFUSED, UNREACHABLE, NOT_TRIED, EMPTY)

_NO_PLANTS = "no plants are known to ask about"
_LINK_PLANTS = (
    "link plants to the northbound account in the management system, "
    "or give it the permission for their KPIs there"
)
_FILTER = "look at what `plants` of the account includes and excludes"
_NO_PAGES: Mapping[str, str] = {
    "401": "the paged list is refused as well [401]",
    "http_404": "there is no paged list either [http_404]",
}
_EMPTY_HINT = "an empty answer may mean that the KPIs are not configured in the management system"
# Answers that are about some of what was asked, by what they hold.
_COUNTED: Mapping[Content, str] = {
    Content.ALARMS: "alarms in the last 31 days",
    Content.UPGRADES: "ever upgraded",
    Content.CONFIGURATION: "with such a setting",
}
_REFUSED = frozenset({"empty", "http_401", *RATE_LIMITED})  # beside what came in an envelope
_UNREACHABLE_REASONS = frozenset({"connection", "no_tls", "only_tls", "redirect", "timeout", "tls"})


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying an interface, for devices of one type where it is asked about them.

    `wait` is how many seconds a call that was not tried has to wait; `recovered` are the refusals
    after which it was asked in another way.
    """

    interface: str
    outcome: str
    words: str
    device_type: str | None = None
    reason: str | None = None
    remedy: str = ""
    wait: float | None = None
    recovered: tuple[str, ...] = ()


class Trials:
    """All trials of an account, and the readings of devices by their type.

    `report` is shown each trial when it was made; `announce` is told, in words, what comes next and
    how long it takes.
    """

    def __init__(
        self,
        probe: Probe,
        *,
        report: Callable[[Trial], None],
        announce: Callable[[str], None],
    ) -> None:
        self.made: list[Trial] = []
        self._report = report
        self._announce = announce
        self.readings: dict[int, list[Reading]] = {}
        self._probe = probe
        self._has_session = True  # as far as calls have told

    def run(self, interfaces: Collection[Interface]) -> None:
        """Logs in, reads the lists, and tries the interfaces, as long as something answers."""
        lists = [each for each in (PLANT_LIST, DEVICE_LIST) if each in interfaces]
        others = [each for each in interfaces if each is not LOGIN and each not in lists]
        self._note(LOGIN, None, self._log_in)
        for interface in lists:
            self._try(interface, lambda interface, _: self._read(interface))
        if not self._is_cut_off and (calls := list(self._calls(others))):
            takes = _format_length(self._probe.forecast(calls))
            self._announce(f"{count(len(calls), 'more call')}: that {takes}")
        for interface in others:
            self._try(interface, self._ask)

    def _calls(self, interfaces: Iterable[Interface]) -> Iterator[tuple[Interface, int | None]]:
        for interface in interfaces:
            for batch in _one_a_type(self._probe.batches(interface)):
                yield interface, batch.device_type

    def _try(self, interface: Interface, ask: Callable[[Interface, Batch], Trial]) -> None:
        """Tries an interface once for each type of device, if there is anything to ask about."""
        batches = _one_a_type(self._probe.batches(interface))
        if not batches and not self._is_cut_off:
            self._add(Trial(interface.name, NOT_TRIED, self._reason_untried(interface)))
        for batch in batches:
            if not self._is_cut_off:
                self._note(interface, batch.device_type, partial(ask, interface, batch))

    def _reason_untried(self, interface: Interface) -> str:
        fleet = self._probe.fleet
        if not fleet.plants:
            return _NO_PLANTS
        if interface.by_dn and fleet.nameless(interface.device_types):
            return "the list gives devices no DN, by which they are asked"
        return "no devices of its types are known"

    @property
    def _is_cut_off(self) -> bool:
        """Whether there is no session, or no way to the server."""
        if not self._has_session or self.made[0].outcome != PERMITTED:
            return True
        return self.made[-1].reason in _UNREACHABLE_REASONS

    def _note(
        self, interface: Interface, device_type: int | None, ask: Callable[[], Trial]
    ) -> None:
        try:
            trial = ask()
        except FAILURES as error:
            self._has_session &= not isinstance(error, NoSessionError)
            trial = _failed_trial(interface, error)
        kind = None if device_type is None else device_type_slug(device_type)
        self._add(replace(trial, device_type=kind))

    def _add(self, trial: Trial) -> None:
        self.made.append(trial)
        self._report(trial)

    def _log_in(self) -> Trial:
        logged_in = self._probe.open()
        words = "logged in" if logged_in else "the session from before is used"
        return Trial(LOGIN.name, PERMITTED, words)

    def _read(self, interface: Interface) -> Trial:
        """Reads a list: to its end if what it lists is not wholly known, or just once."""
        fleet = self._probe.fleet
        listed = fleet.plants if interface is PLANT_LIST else fleet.devices
        answers: Iterable[Answer] = self._probe.read(interface)
        if listed and not fleet.is_partial:
            answers = islice(answers, 1)
        read = list(answers)
        name = attrgetter("code" if interface is PLANT_LIST else "id")
        names = {name(record) for answer in read for record in answer.parsed.records}
        recovered = tuple(chain.from_iterable(answer.recovered for answer in read))
        if interface is PLANT_LIST and not (names and fleet.plants):
            strange = sum(answer.parsed.rejected.total() for answer in read)
            words, remedy = _plantless(len(names), strange)
            return Trial(interface.name, EMPTY, words, remedy=remedy, recovered=recovered)
        words = f"{len(names)} listed{_format_missing(read)}"
        return Trial(interface.name, PERMITTED, words, recovered=recovered)

    def _ask(self, interface: Interface, batch: Batch) -> Trial:
        answer = self._probe.ask(interface, batch)
        records = answer.parsed.records
        if interface.realtime and batch.device_type is not None:
            readings = (
                each.reading if isinstance(each, TimedReading) else each for each in records
            )
            self.readings.setdefault(batch.device_type, []).extend(readings)
        asked, unanswered = len(answer.asked), len(answer.outcome.unanswered)
        remedy = ""
        if interface.content is Content.CONFIGURATION and answer.recovered:
            (reason,) = answer.recovered
            words = describe(reason_error(reason))
        elif interface.content in _COUNTED:
            words = f"{len(records)} {_COUNTED[interface.content]}"
        else:
            words = f"values of {asked - unanswered} of {asked}"
            remedy = _EMPTY_HINT if asked == unanswered else ""
        recovered = answer.recovered
        return Trial(interface.name, PERMITTED, words, remedy=remedy, recovered=recovered)


def _format_length(seconds: float) -> str:
    """How long the calls take, as far as their allowances tell."""
    if seconds < MINUTE:
        return "takes less than a minute"
    minutes = ceil(seconds / MINUTE)
    return f"takes about {count(minutes, 'minute')}, since each waits for its allowance"


def _one_a_type(batches: Iterable[Batch]) -> Collection[Batch]:
    """Of each type of device, the batch that was asked about longest ago."""
    chosen: dict[int | None, Batch] = {}
    for batch in batches:
        known = chosen.setdefault(batch.device_type, batch)
        chosen[batch.device_type] = min(known, batch, key=lambda each: each.progress.called)
    return chosen.values()


def _format_missing(answers: Iterable[Answer]) -> str:
    """How many more a list counts than it gives."""
    missing = [answer.outcome.missing for answer in answers]
    if None in missing:
        return ", and the list is not whole"
    lacking = sum(filter(None, missing))
    return f", and {lacking} more that the list counts are missing" if lacking else ""


def _plantless(listed: int, strange: int) -> tuple[str, str]:
    """Why a list leaves no plant to ask about, and what to do."""
    if listed:
        return f"{listed} listed, and none of them is wanted", _FILTER
    if strange:
        return f"{strange} listed, and none of them is understood", REPORT_IT
    return "no plant is linked to the account", _LINK_PLANTS


def _failed_trial(interface: Interface, error: Failure) -> Trial:
    refusal = error.__cause__
    if interface is PLANT_LIST and isinstance(refusal, CallError):
        # It has pages elsewhere, but what has to be granted is the list itself.
        no_pages = isinstance(error, CallError) and _NO_PAGES.get(error.reason)
        also = no_pages or f"asked page by page: {describe(error)}"
        return _refused_trial(interface, refusal, f"{describe(refusal)}; {also}")
    if isinstance(error, CallError):
        return _refused_trial(interface, error, explain(error))
    if isinstance(error, NotNowError) and isinstance(refusal, CallError):
        return _refused_trial(
            interface, refusal, f"{describe(refusal)}; once more: {describe(error)}"
        )
    wait, remedy = None, ""
    if isinstance(error, NotNowError):
        wait = error.seconds
        remedy = refused_login(error.refusal.reason) if error.refusal else ""
    return Trial(interface.name, NOT_TRIED, str(error), remedy=remedy, wait=wait)


def _refused_trial(interface: Interface, error: CallError, words: str) -> Trial:
    refused = error.enveloped or error.reason in _REFUSED
    outcome = REFUSED if refused else UNREACHABLE
    if error.reason in TOKEN_FILE_REASONS:
        outcome = NOT_TRIED
    remedy = advice(interface, error)
    return Trial(interface.name, outcome, words, reason=error.reason, remedy=remedy)
