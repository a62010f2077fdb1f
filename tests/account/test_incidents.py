"""When a failure is news."""

from exporter.account.account_polling import QUIET, Incidents


def news_of(*events):
    """Which of these (minutes, reason; None: a success) are news."""
    incidents = Incidents()
    return [
        incidents.succeeded("it", 60.0 * at)
        if reason is None
        else incidents.failed("it", reason, 60.0 * at)
        for at, reason in events
    ]


def test_a_failure_is_news_once_and_so_is_its_end():
    events = (0, None), (1, "timeout"), (2, "timeout"), (3, None), (4, None)
    assert news_of(*events) == [False, True, False, True, False]


def test_another_reason_is_news_once():
    events = (0, "timeout"), (1, "http_502"), (2, "timeout"), (3, "http_502"), (4, None)
    assert news_of(*events) == [True, True, False, False, True]


def test_what_comes_back_within_an_hour_is_over_after_a_quiet_hour():
    events = (0, "timeout"), (1, None), (59, "timeout"), (60, None), (62, "timeout"), (63, None)
    assert news_of(*events) == [True, True, True, False, False, False]
    assert news_of(*events, (121, None), (122, None), (123, None)) == [
        *(True, True, True, False, False, False),
        *(False, True, False),
    ]


def test_what_comes_back_after_an_hour_is_as_new():
    hour = QUIET / 60
    events = (0, "timeout"), (1, None), (hour, "timeout"), (hour + 1, None)
    assert news_of(*events) == [True, True, True, True]


def test_one_incident_says_nothing_of_another():
    incidents = Incidents()
    assert incidents.failed(("getDevRealKpi", 1), "timeout", 0.0)
    assert incidents.failed(("getDevRealKpi", 39), "timeout", 1.0)
    assert incidents.succeeded(("getDevRealKpi", 1), 2.0)
    assert not incidents.succeeded(("getStationRealKpi", None), 3.0)
    assert incidents.succeeded(("getDevRealKpi", 39), 4.0)
