"""What of the past is asked for, and by which moments."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from exporter.history.plan import (
    HistoryUnit,
    Member,
    Piece,
    Span,
    begins,
    calendar_of,
    moment_of,
    next_begin,
    pieces,
    previous_begin,
)
from exporter.northbound.interfaces import DAY, INTERFACES

HOURS, DAYS, MONTHS, YEARS = (
    INTERFACES[f"getKpiStation{name}"] for name in ("Hour", "Day", "Month", "Year")
)
FIVE_MINUTES, HISTORY = INTERFACES["getDevFiveMinutes"], INTERFACES["getDevHistoryKpi"]
# Far east and west, and all that put their clocks forward and back near the date line.
ZONES = (
    *("Pacific/Kiritimati", "Pacific/Auckland", "Pacific/Norfolk", "Pacific/Chatham"),
    *("Australia/Lord_Howe", "Europe/Berlin", "America/Sao_Paulo", "America/Adak"),
    *("Pacific/Marquesas", "Pacific/Pago_Pago", "Etc/GMT+12"),
)
LATER = 4e9


def at(*day):
    return datetime(*day, tzinfo=UTC).timestamp()


def dates_asked_for(interface, start, end, zone):
    """The local dates that are named to a server."""
    calendar = calendar_of(interface)
    for begin in begins(calendar, start, end):
        piece = Piece(interface, None, ("P",), begin, next_begin(calendar, begin))
        yield datetime.fromtimestamp(moment_of(piece, LATER), ZoneInfo(zone)).date()


@pytest.mark.parametrize("zone", ZONES)
def test_each_local_day_is_asked_for_once(zone):
    found = list(dates_asked_for(HOURS, at(2015, 1, 1), at(2026, 1, 1), zone))
    assert found == [found[0] + timedelta(days=n) for n in range(len(found))]
    assert abs(found[0] - date(2015, 1, 1)) <= timedelta(days=1)
    assert len(found) == 4018


@pytest.mark.parametrize("zone", ZONES)
def test_each_month_and_each_year_is_asked_for_once(zone):
    months = [
        day.replace(day=1) for day in dates_asked_for(DAYS, at(2019, 1, 1), at(2025, 1, 1), zone)
    ]
    assert months == [date(2019 + n // 12, n % 12 + 1, 1) for n in range(72)]
    years = [day.year for day in dates_asked_for(MONTHS, at(2019, 1, 1), at(2025, 1, 1), zone)]
    assert years == [2019, 2020, 2021, 2022, 2023, 2024]


def test_all_years_are_one_question_about_now():
    (piece,) = pieces(YEARS, [Member("P")], Span(at(2019, 5, 1), at(2025, 5, 1)), lambda _: False)
    assert (piece.members, piece.begin) == (("P",), 0.0)
    assert moment_of(piece, at(2025, 5, 1)) == at(2025, 5, 1)
    assert previous_begin(calendar_of(YEARS), 0.0) is None


def test_no_moment_lies_ahead():
    piece = Piece(DAYS, None, ("P",), at(2025, 5, 1), at(2025, 6, 1))
    assert moment_of(piece, at(2025, 5, 3)) == at(2025, 5, 3)


def planned_pieces(interface, members, span, done=()):
    found = pieces(interface, members, span, lambda unit: unit in done)
    return [(each.device_type, each.members, each.begin, each.end) for each in found]


def test_the_latest_comes_first_and_what_is_done_is_left_out():
    span, members = Span(at(2025, 1, 10), at(2025, 4, 1)), [Member("A"), Member("B")]
    done = {
        HistoryUnit(at(2025, 3, 1), DAYS.name, "A"),
        HistoryUnit(at(2025, 2, 1), DAYS.name, "A"),
        HistoryUnit(at(2025, 2, 1), DAYS.name, "B"),
    }
    assert planned_pieces(DAYS, members, span, done) == [
        (None, ("B",), at(2025, 3, 1), at(2025, 4, 1)),
        (None, ("A", "B"), at(2025, 1, 1), at(2025, 2, 1)),
    ]


def test_nothing_is_asked_of_a_plant_before_its_first_year():
    members = [Member("A", since=at(2025, 3, 1)), Member("B")]
    assert planned_pieces(DAYS, members, Span(at(2025, 2, 1), at(2025, 3, 2))) == [
        (None, ("A", "B"), at(2025, 3, 1), at(2025, 4, 1)),
        (None, ("B",), at(2025, 2, 1), at(2025, 3, 1)),
    ]


def test_a_call_names_as_many_as_it_may_of_one_type():
    members = [Member(f"{n:02}", 1) for n in range(25)] + [Member("x", 39)]
    assert planned_pieces(FIVE_MINUTES, members, Span(at(2025, 1, 1), at(2025, 1, 1, 10))) == [
        (39, ("x",), at(2025, 1, 1), at(2025, 1, 2)),
        (1, tuple(f"{n:02}" for n in range(20, 25)), at(2025, 1, 1), at(2025, 1, 2)),
        (1, tuple(f"{n:02}" for n in range(20)), at(2025, 1, 1), at(2025, 1, 2)),
    ]


def test_a_day_that_has_begun_in_the_east_is_asked_for_too():
    def days(end):
        span = Span(at(2025, 1, 1), end)
        return [begin for _, _, begin, _ in planned_pieces(HOURS, [Member("A")], span)]

    assert days(at(2025, 1, 1, 11)) == [at(2025, 1, 1)]
    assert days(at(2025, 1, 1, 12)) == [at(2025, 1, 2), at(2025, 1, 1)]


def test_days_that_follow_each_other_share_a_call_where_it_takes_several():
    done = {HistoryUnit(at(2025, 1, 4), HISTORY.name, "A")}
    assert planned_pieces(
        HISTORY, [Member("A", 1)], Span(at(2025, 1, 1), at(2025, 1, 9)), done
    ) == [
        (1, ("A",), at(2025, 1, 6), at(2025, 1, 9)),
        (1, ("A",), at(2025, 1, 5), at(2025, 1, 6)),
        (1, ("A",), at(2025, 1, 1), at(2025, 1, 4)),
    ]


def test_a_piece_knows_its_units():
    piece = Piece(HISTORY, 1, ("A", "B"), at(2025, 1, 1), at(2025, 1, 3))
    assert list(piece.units) == [
        HistoryUnit(at(2025, 1, day), HISTORY.name, name) for day in (1, 2) for name in "AB"
    ]


def test_a_piece_is_halved_by_members_and_then_by_days():
    piece = Piece(HISTORY, 1, ("A", "B", "C"), at(2025, 1, 1), at(2025, 1, 3))
    first, second = piece.halves()
    assert (first.members, second.members) == (("A",), ("B", "C"))
    assert [(each.begin, each.end) for each in first.halves()] == [
        (at(2025, 1, 2), at(2025, 1, 3)),
        (at(2025, 1, 1), at(2025, 1, 2)),
    ]
    assert first.halves()[0].halves() == ()
    assert Piece(YEARS, None, ("P",), 0.0, float("inf")).halves() == ()


def test_months_follow_each_other_through_leap_years():
    calendar, begin = calendar_of(DAYS), at(2019, 1, 1)
    for _ in range(120):
        after = next_begin(calendar, begin)
        assert previous_begin(calendar, after) == begin
        assert 28 * DAY <= after - begin <= 31 * DAY
        begin = after
    assert begin == at(2029, 1, 1)
