"""The year's tables say how often each alert was wrong, and when each fault was told."""

from pathlib import Path

from year.faults import KINDS, Fault
from year.report import BEGIN, END, whole, written
from year.verdict import Episode, Told, Verdict

KIND = {kind.name: kind for kind in KINDS}
DOCUMENT = Path(__file__).parents[2] / "docs" / "alerts-year.md"


def fault(name, start):
    return Fault(KIND[name], "ill", "p", "i", None, start, start + 24, start + 48)


def fired(name, first, *notes):
    return Episode({"alertname": f"FusionSolar{name}"}, first, first, list(notes))


def test_the_tables_count_by_climate_and_by_kind():
    bavaria = Verdict(
        false=[fired("StringOut", 1, "snow"), fired("StringOut", 9), fired("Silent", 2, "snow")],
        beside=[fired("StringOut", 5)],
        told=[
            Told(fault("inverter off", 0), fired("Silent", 12)),
            Told(fault("inverter off", 100), fired("Silent", 106)),
            Told(fault("inverter off", 200), fired("Silent", 236)),
        ],
    )
    texas = Verdict(
        false=[fired("StringOut", 3)], beside=[], told=[Told(fault("string out", 0), None)]
    )
    assert "\n".join(whole([("bavaria", bavaria), ("texas", texas)])) == EXPECTED


EXPECTED = """\
| Fired without a cause | bavaria | texas | what went on |
| --- | ---: | ---: | --- |
| StringOut | 2 | 1 | nothing (2), snow (1) |
| Silent | 1 | 0 | snow (1) |

2 of 4 faults were told in time.

| Fault | seeded | told in time | median | longest | told by |
| --- | ---: | ---: | ---: | ---: | --- |
| inverter off | 3 | 2 | 0.8 h | 1.0 h | Silent |
| string out | 1 | 0 | - | - | - |

| Beside a fault | episodes |
| --- | ---: |
| StringOut | 1 |"""


def test_a_year_without_a_false_alert_says_so():
    calm = Verdict(false=[], beside=[], told=[])
    assert next(whole([("texas", calm)])) == "Nothing fired without a cause."


def test_what_was_written_before_is_replaced():
    once = written(f"# A\n\n{BEGIN}\nold\n{END}\nend\n", ["new"])
    assert once == f"# A\n\n{BEGIN}\n\nnew\n\n{END}\nend\n"
    assert written(once, ["new"]) == once


def test_the_document_has_a_place_for_the_tables():
    assert DOCUMENT.read_text("utf-8").count(BEGIN) == 1
    assert DOCUMENT.read_text("utf-8").count(END) == 1
