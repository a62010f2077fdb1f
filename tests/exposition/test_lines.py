"""Rendered lines are, byte for byte, what prometheus_client writes."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric as Family

from exporter.catalogue.model import Kind, Metric, series_of
from exporter.exposition.samples import State, Vector, label_names, layout_of, render, vector_of

VOLTAGE = Metric("plant_voltage_volts", Kind.GAUGE, "Voltage.", labels=("string", "a"))
ENERGY = Metric("plant_energy_joules_total", Kind.COUNTER, "Energy.")
STATE = Metric("b_state", Kind.STATESET, "State.")
IDENTITY = ("account", "plant_code", "device_id")
ON, OFF = series_of(STATE, "on"), series_of(STATE, "off")

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ['"', "\\", "\n", "%s", "%", "\naccount\n", "\n\n", 'account="x"', "{}", ""]
)
numbers = st.floats() | st.sampled_from(
    [0.0, -0.0, 1e6, 999_999.5, 1e15, 1e16, 1.5e300, 5e-324, -1e6, 2.0**53, float("inf")]
)
all_series = st.lists(
    st.builds(lambda string, a: series_of(VOLTAGE, string, a), texts, texts)
    | st.builds(lambda state: series_of(STATE, state), texts)
    | st.just(series_of(ENERGY)),
    min_size=1,
    unique=True,
)


class Only:
    def __init__(self, family):
        self.family = family

    def collect(self):
        return [self.family]


def library(metric, samples):
    """What prometheus_client makes of one family's samples, without its headers."""
    family = Family(metric.name.removesuffix("_total"), metric.help, metric.kind.value)
    for labels, value in samples:
        family.add_sample(metric.name, labels, value)
    return generate_latest(Only(family)).split(b"\n", 2)[2]


@given(st.lists(st.tuples(st.dictionaries(st.sampled_from("abc"), texts), numbers)))
def test_lines_are_what_the_library_writes(samples):
    assert render(VOLTAGE, samples) == library(VOLTAGE, samples)


@given(all_series, texts, texts, texts, st.data())
def test_a_pattern_that_is_filled_in_is_what_the_library_writes(series, account, plant, name, data):
    vector = Vector(series, [data.draw(numbers) for _ in series])
    pattern = vector.layout.pattern(IDENTITY)
    named = {"account": account, "plant_code": plant, "device_id": name}
    texts = pattern.fill_in([account, plant, name], vector.numbers)
    expected = {}
    for each, value in vector.items():
        own = dict(zip(label_names(each.metric), each.labels, strict=True))
        expected.setdefault(each.metric, []).append((named | own, value))
    found = {m: text.encode() for m, text in zip(pattern.metrics, texts, strict=True)}
    assert found == {metric: library(metric, samples) for metric, samples in expected.items()}


@given(numbers)
def test_a_number_is_written_as_the_library_does(value):
    assert render(ENERGY, [({}, value)]) == library(ENERGY, [({}, value)])


def test_a_state_is_lines_of_1_and_0_without_numbers_of_its_own():
    energy = series_of(ENERGY)
    vector = Vector([State((OFF, ON), ON), energy], [2.5])
    assert dict(vector) == {OFF: 0.0, ON: 1.0, energy: 2.5}
    assert list(vector.numbers) == [2.5]
    assert vector.layout.pattern(("account",)).fill_in(["a"], vector.numbers) == [
        'b_state{account="a",b_state="off"} 0.0\nb_state{account="a",b_state="on"} 1.0\n',
        'plant_energy_joules_total{account="a"} 2.5\n',
    ]


def test_what_hangs_on_states_alone_can_be_left_out_of_the_lines():
    vector = Vector([State((OFF, ON), ON), series_of(ENERGY)], [2.5])
    pattern = vector.layout.pattern(("account",), states=False)
    assert pattern.fill_in(["a"], vector.numbers) == [
        'plant_energy_joules_total{account="a"} 2.5\n'
    ]
    alone = Vector([State((OFF, ON), ON)], [])  # where nothing else is left
    assert alone.layout.pattern(("account",), states=False).fill_in(["a"], alone.numbers) == [
        'b_state{account="a",b_state="off"} 0.0\nb_state{account="a",b_state="on"} 1.0\n'
    ]


def test_a_layout_says_which_number_is_of_a_series():
    energy, voltage = series_of(ENERGY), series_of(VOLTAGE, "1", "a")
    vector = Vector([State((OFF, ON), ON), energy], [2.5])
    assert [vector.layout.column(each) for each in (energy, ON, OFF, voltage)] == [0, *[None] * 3]
    assert vector_of({voltage: 1.0, energy: 2.0}).layout.column(energy) == 1


def test_those_who_report_the_same_share_a_layout():
    series = (series_of(ENERGY), ON)
    first = layout_of(series)
    assert layout_of((series_of(ENERGY), series_of(STATE, "on"))) is first
    assert vector_of({series_of(ENERGY): 1.0, ON: 0.0}).layout is first
    assert layout_of(series[:1]) is not first
    assert first.pattern(IDENTITY) is first.pattern(IDENTITY)
