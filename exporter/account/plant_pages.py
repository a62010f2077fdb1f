"""Reading the plant list, which servers give in several forms: whole, or page by page."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from exporter.account.codec import PastTime
from exporter.northbound.errors import NO_ANSWER, CallError, Reaction
from exporter.northbound.interfaces import (
    DAY,
    PAGED_PLANT_LIST_PATH,
    PLANT_LIST,
    PLANT_PAGE_SIZES,
)
from exporter.northbound.records import ListPage, Parsed, Plant


@dataclass(frozen=True, slots=True)
class ListForm:
    """One way to ask for the plants: at a path, in pages of a size or, without one, whole."""

    path: str
    size: int | None = None


WHOLE = ListForm(PLANT_LIST.path)
# In the order in which they are tried. A size is asked of both paths before the next one: a
# gateway's HTTP 400 tells neither from the other.
FORMS = (
    WHOLE,
    *(
        ListForm(path, size)
        for size in PLANT_PAGE_SIZES
        for path in (PLANT_LIST.path, PAGED_PLANT_LIST_PATH)
    ),
)

# Not permitted, or not there (any more): no form of this path is of use.
NO_CLASSIC_LIST = frozenset({"401", "http_404"})
_NO_SUCH_SIZE = "30006"
# What is wrong is how it was asked: parameters that lack or are not liked, too much at once.
_WRONG_FORM = frozenset(
    {"30004", "30005", _NO_SUCH_SIZE, "30030", "bad_parameters", "http_400", "too_large"}
)
# A failure that says nothing of the form, but comes again and again, is taken for a refusal of it.
_TRIES = 3
_TRIES_OF_A_PAGE = 2
# Failures that another form would meet as well: nobody looked at it.
_ANY_FORM = NO_ANSWER | {
    "empty", "http_502", "http_503", "http_504", "malformed", "redirect",
}  # fmt: skip
_ANY_FORM_REACTIONS = frozenset(
    {Reaction.LOG_IN, Reaction.BACK_OFF, Reaction.NEXT_DAY, Reaction.PAUSE}
)


@dataclass(slots=True)
class PlantListState:
    """The form that worked last, and when the whole list was last given up."""

    worked: ListForm = WHOLE
    left_whole: PastTime = -inf


@dataclass(frozen=True, slots=True)
class ListEnd:
    """A list at its end: its codes, and how many plants it counts but did not give.

    `missing` is None where some are missing, and the list does not say how many.
    """

    codes: frozenset[str]
    missing: int | None = 0


def missing_from(parsed: Parsed[Any]) -> int | None:
    """How many items the answer of a list counts but lacks, None where it does not say how many."""
    page = parsed.page or ListPage()
    if page.total is not None:
        return max(0, page.total - len(parsed.records) - parsed.rejected.total())
    return 0 if page.count in (None, 1) else None


class PlantPages:
    """Which page of the plant list comes next, and in which form it is asked for.

    A form that is refused is not tried again for a day while another is left. One that worked is
    used for a day; then the whole list is tried again, which costs the fewest calls.

    Counts in answers may lack or be wrong: a list goes on while any of them promises more, and
    while none tells, until a page brings nothing new. That holds for servers that cut pages to a
    size of their own, and for those that give the same page again and again.
    """

    def __init__(self, state: PlantListState | None = None) -> None:
        self._state = state or PlantListState()
        if self._state.worked not in FORMS:
            self._state.worked = WHOLE
        self._form = self._state.worked
        self._refused: dict[ListForm, float] = {}  # when
        self._closed: dict[str, float] = {}  # paths, until when
        self._failures = 0  # in a row
        self._restart()

    def _restart(self) -> None:
        self._page = 1
        self._codes: set[str] = set()
        self._unread = 0  # items that are no plants
        self._page_info = ListPage()
        self._brings_news = False
        self._repeats = False  # itself, instead of going on
        self._promised = False

    def request(self, now: float) -> tuple[str, Mapping[str, Any]]:
        """Path and parameters of the next call."""
        if (
            self._page == 1
            and now >= self._state.left_whole + DAY
            and self._is_unrefused(WHOLE, now)
        ):
            self._form = WHOLE
        size = self._form.size
        return self._form.path, {} if size is None else {"pageNo": self._page, "pageSize": size}

    # --- answers -------------------------------------------------------------------------------

    def apply(self, parsed: Parsed[Plant], now: float) -> ListEnd | None:
        """Applies an answer; gives the whole list once it is at its end."""
        self._failures = 0
        self._count(parsed)
        items = len(parsed.records) + parsed.rejected.total()
        if self._form.size is None:
            return self._apply_whole(parsed.page, items, now)
        self._promised = bool(self._has_more())
        if self._brings_news and (self._promised or self._may_be_cut(items)):
            self._page += 1
            return None
        return self._end()

    def _count(self, parsed: Parsed[Plant]) -> None:
        known = len(self._codes)
        self._codes.update(plant.code for plant in parsed.records)
        self._brings_news = len(self._codes) > known
        self._repeats = bool(parsed.records) and not self._brings_news
        self._page_info = parsed.page or ListPage()
        if self._brings_news:
            self._unread += parsed.rejected["wrong_type"]

    def _apply_whole(self, page: ListPage | None, items: int, now: float) -> ListEnd | None:
        says = self._has_more()
        if page is None or says is False or not (says or items):
            return self._end()
        # Whatever size the server's own pages have: ask anew in pages of ours, from the first.
        self._refused[WHOLE] = now
        if not any(self._is_unrefused(form, now) for form in FORMS):
            return self._end()
        self._move(now)
        return None

    def _has_more(self) -> bool | None:
        """Whether the page promises more; None where it does not tell."""
        signs = []
        if self._page_info.count is not None:
            signs.append(self._page < self._page_info.count)
        if self._page_info.total is not None:
            signs.append(len(self._codes) + self._unread < self._page_info.total)
        return any(signs) if signs else None

    def _may_be_cut(self, items: int) -> bool:
        """Whether more may follow a page that promises none.

        Where it tells nothing, what it brings is no sign: servers cut pages as they like. A single
        count is doubted where a first page is as long as pages are, and once more was found.
        """
        count, total = self._page_info.count, self._page_info.total
        if count is not None and total is not None:
            return False
        wrong = self._page > (count or inf) or len(self._codes) > (total or inf)
        untold = count is None and total is None
        return untold or wrong or (self._page == 1 and items in PLANT_PAGE_SIZES)

    def _end(self) -> ListEnd:
        total, codes = self._page_info.total, frozenset(self._codes)
        missing: int | None = 0
        if total is not None:
            missing = max(0, total - len(codes) - self._unread)
        elif self._promised or (self._repeats and (self._page_info.count or 1) > 1):
            missing = None
        self._state.worked = self._form
        self._restart()
        return ListEnd(codes, missing)

    # --- refusals ------------------------------------------------------------------------------

    def refused(self, error: CallError, now: float) -> ListEnd | bool:
        """Applies a failure.

        Gives whether to ask at once in another way; or the list, where the page that was refused
        was behind its end.
        """
        unseen = error.reason in _ANY_FORM and not error.enveloped
        if unseen or error.reaction in _ANY_FORM_REACTIONS:
            return False
        self._failures += 1
        if self._page > 1:
            return self._refused_page(error)
        if error.reason in NO_CLASSIC_LIST:
            self._closed[self._form.path] = now + DAY
        elif error.reason not in _WRONG_FORM and self._failures < _TRIES:
            return False
        self._refused[self._form] = now
        moved = self._move(now, stay=error.reason == _NO_SUCH_SIZE)
        return moved and error.reason in NO_CLASSIC_LIST | _WRONG_FORM

    def _refused_page(self, error: CallError) -> ListEnd | bool:
        again = self._failures < _TRIES_OF_A_PAGE
        if error.reason in NO_CLASSIC_LIST | _WRONG_FORM:
            return False if self._promised and again else self._end()
        if error.enveloped and not again:
            self._restart()  # it may be one that is no more
            self._failures = 0
        return False

    def _is_unrefused(self, form: ListForm, now: float) -> bool:
        """Whether a form was not refused within a day."""
        closed = self._closed.get(form.path, -inf) > now
        return not closed and now >= self._refused.get(form, -inf) + DAY

    def _move(self, now: float, *, stay: bool = False) -> bool:
        """Goes on to the next form, of the same path to `stay` there; returns whether one is left.

        If none is, it is the one refused longest ago. Where no path is open, the whole list has to
        be granted, or what worked before.
        """
        before = self._form
        fresh = [form for form in FORMS if self._is_unrefused(form, now)]
        self._form = min(
            fresh,
            key=lambda form: (form != self._state.worked, stay and form.path != before.path),
            default=self._least_recently_refused(now),
        )
        if before == WHOLE:
            self._state.left_whole = now
        self._failures = 0
        self._restart()
        return bool(fresh)

    def _least_recently_refused(self, now: float) -> ListForm:
        open_ = [form for form in FORMS if self._closed.get(form.path, -inf) <= now]
        return min(
            open_ or [WHOLE, self._state.worked], key=lambda form: self._refused.get(form, -inf)
        )
