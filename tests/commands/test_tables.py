"""Tables as a terminal shows them."""

from exporter.commands.tables import table


def test_columns_are_as_wide_as_their_widest_cell_on_a_terminal():
    shown = table(("Plant", "n"), [("Casa ☀️", "1"), ("太陽光", "2"), ("Müller\u0301", "3")])

    assert shown == (
        "Plant   n\n"
        "Casa ☀️  1\n"
        "太陽光  2\n"
        "Müller\u0301  3\n"
    )  # fmt: skip
