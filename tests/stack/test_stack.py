"""The demo of docker-compose.yml with real servers: every query has data, every alert arrives."""

import json

import pytest
from prometheus.promtool import AMTOOL, PROMTOOL, check_metrics, run
from stack.expected_empty import NEVER, SOMETIMES, TROUBLES
from stack.observations import DATA, EMPTY, MAY_BE_EMPTY, place
from stack.queries import ALERTS, PANELS, RECORDS, SERIES
from stack.services import get

pytestmark = pytest.mark.slow

# The simulator's devices raise alarms of their own, now and then a critical one.
MAY_FIRE = {"FusionSolarAlarmCritical"}


def for_each_query(queries, *, listed=None):
    """Parametrizes a test with the queries in a list, or with those in none."""
    selected = [q for q in queries if q.keys.isdisjoint(listed or MAY_BE_EMPTY) != bool(listed)]
    assert selected
    return pytest.mark.parametrize("query", selected, ids=str)


def test_the_lists_of_what_may_be_empty_name_only_existing_queries():
    known = {key for query in [*PANELS, *RECORDS, *SERIES] for key in query.keys}
    assert {*TROUBLES, *NEVER, *SOMETIMES} - known == set()


@for_each_query(PANELS)
def test_a_panel_has_data(observed, query):
    assert observed.health[query] == DATA


@for_each_query(RECORDS)
def test_a_recording_rule_has_data(observed, query):
    assert observed.health[query] == DATA


@for_each_query(SERIES)
def test_a_series_that_alerts_look_at_has_data(observed, query):
    assert observed.health[query] == DATA


@for_each_query(PANELS, listed=TROUBLES)
def test_a_panel_of_troubles_has_data_in_trouble(observed, query):
    assert observed.health[query] in {DATA, EMPTY}
    assert observed.trouble[query] == DATA


@for_each_query([*PANELS, *RECORDS, *SERIES], listed=NEVER)
def test_what_is_listed_as_empty_is_empty(observed, query):
    assert observed.health[query] == EMPTY


@for_each_query([*PANELS, *RECORDS], listed=SOMETIMES)
def test_what_has_data_at_some_hours_is_valid(observed, query):
    assert observed.health[query] in {DATA, EMPTY}


@pytest.mark.parametrize("query", ALERTS, ids=str)
def test_an_alert_is_silent_in_good_health(observed, query):
    assert observed.health[query] in ({DATA, EMPTY} if query.title in MAY_FIRE else {EMPTY})


def test_nothing_fires_in_good_health(observed):
    assert observed.firing <= MAY_FIRE


def message(status, alert, text):
    """What the webhook prints: what happened where, and what to read."""
    return f"{status}: {alert}: {text} http://localhost:10052/docs/alerts.md#{alert.lower()}"


@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_a_raised_alarm_and_its_end_arrive_with_the_names_of_plant_and_device(observed, status):
    text = f"{place(observed.alarmed)} has the critical alarm Device Fault (2064)."
    assert message(status, "FusionSolarAlarmCritical", text) in observed.messages


@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_a_fault_and_its_end_arrive_with_the_names_of_plant_and_device(observed, status):
    text = f"{place(observed.stopped)} has shut down by itself, with state 768."
    assert message(status, "FusionSolarInverterShutDown", text) in observed.messages


def test_victoria_metrics_reads_what_prometheus_reads(observed, stack):
    assert observed.health
    names = {
        service: set(
            json.loads(
                get(
                    stack.url(service, "/api/v1/label/__name__/values"),
                    **{"match[]": '{job="fusionsolar",__name__=~"[a-z0-9_]+"}'},
                )
            )["data"]
        )
        for service in ("prometheus", "victoria-metrics")
    }
    of_prometheus, of_victoria = (
        {name for name in found if not name.startswith("scrape_")} for found in names.values()
    )
    assert len(of_prometheus) > 100
    assert of_prometheus == of_victoria


def test_promtool_finds_the_composed_configuration_right(stack):
    etc = stack.root("prometheus") / "etc" / "prometheus"
    status, output = run(PROMTOOL, "check", "config", etc / "prometheus.yml")
    assert status == 0, output
    assert output.count("rules found") == len(list((etc / "rules").iterdir()))


def test_amtool_finds_the_composed_configuration_right(stack):
    etc = stack.root("alertmanager") / "etc" / "alertmanager"
    status, output = run(AMTOOL, "check-config", etc / "alertmanager.yml")
    assert status == 0, output
    assert "1 templates" in output


def test_promtool_finds_the_exposition_right(observed, stack):
    assert observed.health
    assert check_metrics(get(stack.url("demo", "/metrics"))) == (0, "")
