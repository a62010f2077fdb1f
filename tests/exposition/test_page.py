import sys
import threading

import pytest
from exposition.world import series_of
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    StateSetMetricFamily,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exporter.catalogue.model import Kind, Metric
from exporter.exposition.page import NO_ACCOUNT, Block, Format, Page
from exporter.exposition.samples import render

POWER = Metric("plant_power_watts", Kind.GAUGE, 'Power, "as sent"\\ by\na plant.', labels=("name",))
ENERGY = Metric("plant_energy_joules_total", Kind.COUNTER, "Energy.", labels=("name",))
INFO = Metric("plant_info", Kind.INFO, "A plant.", labels=("name",))
STATE = Metric("plant_state", Kind.STATESET, "State of a plant.", labels=("name",))
METRICS = (ENERGY, INFO, POWER, STATE)  # in the order of the page

awkward = st.sampled_from(
    [
        '"',
        "\\",
        "\n",
        '\\"',
        "\\n",
        "\\\\n",
        "}",
        "#",
        "",
        " ",
        "🌞",
        "x" * 300,
        "a,b",
        "é",
        "\u2028",
    ]
)
names = st.lists(
    awkward
    | st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"))
    | st.lists(awkward, max_size=5).map("".join),
    unique=True,
    max_size=8,
)
awkward_values = [
    0.0,
    -0.0,
    1e300,
    5e-324,
    -1e-7,
    1e6,
    123456.5,
    2.0**53,
    1750798800.123,
    0.1 + 0.2,
]
values = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(awkward_values)


def page_of(blocks, self_metrics=None):
    page = Page({NO_ACCOUNT: self_metrics} if self_metrics else {}, lambda: 0.0)
    page.update(dict(enumerate(blocks)))
    return page


def block_of(plants):
    """A block about plants by name, each with its value."""
    lines = {
        ENERGY: [({"name": name}, abs(value)) for name, value in plants],
        INFO: [({"name": name}, 1) for name, _ in plants],
        POWER: [({"name": name}, value) for name, value in plants],
        STATE: [
            ({"name": name, "plant_state": state}, float((state == "off") == (value < 0)))
            for name, value in plants
            for state in ("off", "on")
        ],
    }
    return Block({metric: render(metric, samples) for metric, samples in lines.items()})


def registry_of(plants, self_metrics):
    """What the library itself makes of the same plants."""
    energy = CounterMetricFamily("plant_energy_joules", ENERGY.help, labels=["name"])
    info = InfoMetricFamily("plant", INFO.help, labels=["name"])
    power = GaugeMetricFamily("plant_power_watts", POWER.help, labels=["name"])
    state = StateSetMetricFamily("plant_state", STATE.help, labels=["name"])
    for name, value in plants:
        energy.add_metric([name], abs(value))
        info.add_metric([name], {})
        power.add_metric([name], value)
        state.add_metric([name], {"off": value < 0, "on": value >= 0})

    class Collector:
        def collect(self):
            if plants:
                yield from (energy, info, power, state)
            yield from self_metrics.collect()

    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(Collector())
    return registry


def own_metrics():
    self_metrics = CollectorRegistry()
    Counter("polls_total", "Polls.", ["account"], registry=self_metrics).labels('"home"').inc()
    return self_metrics


@given(st.data(), names)
def test_the_page_is_what_the_library_says_of_all_blocks_together(data, drawn):
    plants = [(name, data.draw(values)) for name in drawn]
    cut = data.draw(st.integers(0, len(plants)))
    self_metrics = own_metrics()
    page = page_of([block_of(plants[:cut]), block_of(plants[cut:])] if plants else [], self_metrics)
    registry = registry_of(plants, self_metrics)
    assert page.exposition(Format.TEXT) == generate_latest(registry)
    assert page.exposition(Format.OPENMETRICS) == openmetrics.generate_latest(registry)


@given(st.data(), names)
def test_an_openmetrics_parser_reads_back_what_was_put_in(data, drawn):
    plants = {name: data.draw(values) for name in drawn}
    page = page_of([block_of([plant]) for plant in plants.items()], own_metrics())
    text = page.exposition(Format.OPENMETRICS).decode()
    read = {
        sample.labels["name"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == POWER.name
    }
    assert read == plants


@given(st.data(), names)
def test_a_text_parser_finds_no_series_twice(data, drawn):
    plants = [(name, data.draw(values)) for name in drawn]
    text = page_of([block_of([plant]) for plant in plants], own_metrics()).exposition(Format.TEXT)
    power = [value for series, value in series_of(text.decode()) if series.startswith(POWER.name)]
    assert power == [value for _, value in plants]


@pytest.mark.parametrize("form", Format)
def test_a_page_of_nothing_is_the_exporters_own_metrics(form):
    self_metrics = own_metrics()
    generate = generate_latest if form is Format.TEXT else openmetrics.generate_latest
    assert page_of([], self_metrics).exposition(form) == generate(self_metrics)


def test_openmetrics_ends_with_the_only_eof_and_text_has_none():
    page = page_of([block_of([("a", 1.0)])], own_metrics())
    assert page.exposition(Format.OPENMETRICS).count(b"# EOF") == 1
    assert page.exposition(Format.OPENMETRICS).endswith(b"\n# EOF\n")
    assert b"EOF" not in page.exposition(Format.TEXT)


def test_families_stand_in_alphabetical_order_whenever_they_came():
    page = page_of([])
    for metric in (STATE, POWER, ENERGY):
        page.update({metric.name: Block({metric: render(metric, [({"name": "a"}, 1.0)])})})
    types = [line for line in page.exposition(Format.TEXT).decode().splitlines() if "TYPE" in line]
    assert types == [
        "# TYPE plant_energy_joules_total counter",
        "# TYPE plant_power_watts gauge",
        "# TYPE plant_state gauge",
    ]


# Age


class Clock:
    at = 100.0

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def page(clock):
    return Page({}, clock)


def power(value, source=None, read_at=0.0, name="a"):
    return Block({POWER: render(POWER, [({"name": name}, value)])}, source, read_at)


def values_on(page):
    return [value for _, value in series_of(page.exposition(Format.TEXT).decode())]


def test_a_block_is_shown_until_it_is_too_old_and_not_after(page, clock):
    page.set_max_age("realtime", 60.0)
    page.update({1: power(5.0, "realtime", read_at=100.0)})
    clock.at = 160.0
    assert values_on(page) == [5.0]
    clock.at = 160.1
    assert values_on(page) == []


def test_a_page_whose_blocks_are_all_too_old_has_no_headers_either(page, clock):
    page.update({1: power(5.0, "realtime", read_at=100.0)})
    clock.at = 1e9
    assert page.exposition(Format.TEXT) == b""
    assert page.exposition(Format.OPENMETRICS) == b"# EOF\n"


def test_each_block_ages_as_its_own_source_says(page, clock):
    page.set_max_age("fast", 10.0)
    page.set_max_age("slow", 1_000.0)
    page.update({1: power(1.0, "fast", 100.0, "a"), 2: power(2.0, "slow", 100.0, "b")})
    clock.at = 200.0
    assert values_on(page) == [2.0]


def test_a_source_may_be_kept_longer_later_on(page, clock):
    page.set_max_age("realtime", 10.0)
    page.update({1: power(5.0, "realtime", read_at=100.0)})
    clock.at = 150.0
    assert values_on(page) == []
    page.set_max_age("realtime", 60.0)
    assert values_on(page) == [5.0]


def test_blocks_of_a_source_without_an_age_are_not_shown(page):
    page.update({1: power(5.0, "realtime", read_at=100.0)})
    assert values_on(page) == []
    page.set_max_age("realtime", 10.0)
    assert values_on(page) == [5.0]
    page.set_max_age("realtime", None)
    assert values_on(page) == []


def test_a_block_without_a_source_lasts(page, clock):
    page.update({1: power(5.0)})
    clock.at = 1e12
    assert values_on(page) == [5.0]


def test_a_block_is_replaced_whole_and_by_its_key_alone(page):
    page.update({1: block_of([("a", 1.0)]), 2: power(2.0, name="b")})
    page.update({1: power(3.0)})
    assert values_on(page) == [2.0, 3.0]


def test_a_block_that_is_none_or_empty_is_dropped(page):
    empty = Block({})
    references = sys.getrefcount(empty)
    page.update({1: power(1.0), 2: power(2.0, name="b")})
    page.update({1: None, 2: empty})
    assert values_on(page) == []
    # Every answer makes new blocks: the empty ones must not pile up.
    assert sys.getrefcount(empty) == references
    page.update({"never there": None})


# Threads


def test_no_scrape_sees_half_an_update(page):
    """One series wanders between two blocks: every page must show it, and once."""
    wrong, ended = [], threading.Event()

    def wander():
        for turn in range(2_000):
            page.update({turn % 2: power(float(turn)), (turn + 1) % 2: None})
        ended.set()

    def scrape():
        while not ended.is_set():
            lines = page.exposition(Format.TEXT).count(b"plant_power_watts{")
            if lines != 1:
                wrong.append(lines)

    page.update({1: power(0.0)})
    threads = [threading.Thread(target=work) for work in (wander, scrape, scrape)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert ended.is_set()
    assert wrong == []


def test_accounts_update_the_page_at_the_same_time(page):
    def poll(account):
        for turn in range(300):
            page.update({(account, n): power(turn, name=f"{account} {n}") for n in range(5)})

    threads = [threading.Thread(target=poll, args=(account,)) for account in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert values_on(page) == [299.0] * 20


# Accounts


def power_block(account, value):
    return Block({POWER: render(POWER, [({"account": account, "name": "a"}, value)])})


def self_metrics(account):
    registry = CollectorRegistry()
    if account:
        Gauge("polls", "Polls.", ["account"], registry=registry).labels(account).set(1)
    else:
        Gauge("reloads", "Reloads.", registry=registry).set(1)
    return registry


@pytest.fixture
def shared_page(clock):
    """A page of two accounts, with own metrics of theirs and of the exporter as a whole."""
    page = Page({name: self_metrics(name) for name in (NO_ACCOUNT, "home", "shop")}, clock)
    page.update({1: power_block("home", 1.0)}, account="home")
    page.update({1: power_block("shop", 2.0)}, account="shop")
    return page


OF_EACH = {
    "home": ["plant_power_watts{account=home,name=a}", "polls{account=home}"],
    "shop": ["plant_power_watts{account=shop,name=a}", "polls{account=shop}"],
    NO_ACCOUNT: ["reloads{}"],
}


@pytest.mark.parametrize(
    "accounts", [[], ["home"], ["shop"], [NO_ACCOUNT], ["shop", "home"], [NO_ACCOUNT, "shop"]]
)
def test_a_page_of_some_accounts_has_their_series_and_no_others(shared_page, accounts):
    text = shared_page.exposition(Format.TEXT, accounts).decode()
    wanted = {series for account in accounts for series in OF_EACH[account]}
    assert sorted(series for series, _ in series_of(text)) == sorted(wanted)
    families = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len({series.partition("{")[0] for series in wanted})


def test_the_pages_of_all_accounts_hold_each_series_of_the_whole_once(shared_page):
    parts = [shared_page.exposition(Format.TEXT, [account]).decode() for account in OF_EACH]
    whole = series_of(shared_page.exposition(Format.TEXT).decode())
    assert sorted(each for part in parts for each in series_of(part)) == sorted(whole)


def test_a_page_of_some_accounts_is_readable_in_both_formats(shared_page):
    text = shared_page.exposition(Format.OPENMETRICS, ["home"]).decode()
    read = {sample.name for f in text_string_to_metric_families(text) for sample in f.samples}
    assert read == {"plant_power_watts", "polls"}


def test_an_account_that_nothing_is_known_of_has_an_empty_page(shared_page):
    assert shared_page.exposition(Format.TEXT, ["office"]) == b""


def test_a_page_of_one_account_makes_nothing_anew_of_another(shared_page):
    made = []
    for account in ("home", "shop"):
        shared_page.move("sun", lambda account=account: made.append(account) or {}, account=account)
    made.clear()
    shared_page.exposition(Format.TEXT, ["home"])
    assert made == ["home"]
    shared_page.exposition(Format.TEXT)
    assert made == ["home", "shop"]


def test_a_frozen_page_stays_as_it_was_but_for_its_age(shared_page, clock):
    shared_page.set_max_age("realtime", 60.0)
    shared_page.update({2: power(3.0, "realtime", read_at=100.0)}, account="home")
    before = shared_page.exposition(Format.TEXT), shared_page.exposition(Format.TEXT, ["shop"])
    frozen = shared_page.frozen()
    shared_page.update({1: None, 2: None}, account="home")
    shared_page.update({1: power_block("shop", 7.0)}, account="shop")
    shared_page.set_max_age("realtime", None)
    assert (frozen.exposition(Format.TEXT), frozen.exposition(Format.TEXT, ["shop"])) == before
    clock.at = 160.1
    assert values_on(frozen)[:2] == [1.0, 2.0]
    assert b"} 3.0" not in frozen.exposition(Format.TEXT)
