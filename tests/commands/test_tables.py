"""Tables as a terminal shows them."""

import pytest

from exporter.commands.tables import duration, power, table


def test_columns_are_as_wide_as_their_widest_cell_on_a_terminal():
    shown = table(("Plant", "n"), [("Casa ☀️", "1"), ("太陽光", "2"), ("Müller\u0301", "3")])

    assert shown == (
        "Plant   n\n"
        "Casa ☀️  1\n"
        "太陽光  2\n"
        "Müller\u0301  3\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.5, "0.5 s"), (60, "1 min"), (61, "61 s"), (100, "100 s"), (300, "5 min"),
        (3_456, "57.6 min"), (3_600, "1 h"), (5_400, "90 min"), (21_600, "6 h"), (86_400, "1 d"),
    ],
)  # fmt: skip
def test_a_duration_reads_as_people_say_it(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("watts", "words"), [(0, "0 W"), (5, "5 W"), (9_900, "9.9 kW"), (-4_800_000, "-4.8 MW")]
)
def test_a_power_reads_as_people_say_it(watts, words):
    assert power(watts) == words
