"""The year's tables say how often each alert was wrong, and when each fault was reported."""

from pathlib import Path

from year.assessment import Assessment, Detection, Episode
from year.faults import FAULT_KINDS, Fault
from year.report import BEGIN, END, render_tables, with_tables

KINDS = {kind.name: kind for kind in FAULT_KINDS}
DOCUMENT = Path(__file__).parents[2] / "docs" / "alerts-year.md"


def fault(name, start):
    return Fault(KINDS[name], "ill", "p", "i", None, start, start + 24, start + 48)


def episode(name, first, *circumstances):
    return Episode({"alertname": f"FusionSolar{name}"}, first, first, list(circumstances))


def test_the_tables_count_by_climate_and_by_kind():
    bavaria = Assessment(
        false_alerts=[
            episode("StringOut", 1, "snow"),
            episode("StringOut", 9),
            episode("Silent", 2, "snow"),
        ],
        side_alerts=[episode("StringOut", 5)],
        detections=[
            Detection(fault("inverter off", 0), episode("Silent", 12)),
            Detection(fault("inverter off", 100), episode("Silent", 106)),
            Detection(fault("inverter off", 200), episode("Silent", 236)),
        ],
    )
    texas = Assessment(
        false_alerts=[episode("StringOut", 3)],
        side_alerts=[],
        detections=[Detection(fault("string out", 0), None)],
    )
    assert "\n".join(render_tables([("bavaria", bavaria), ("texas", texas)])) == EXPECTED


EXPECTED = """\
| False alert | bavaria | texas | circumstances |
| --- | ---: | ---: | --- |
| StringOut | 2 | 1 | nothing (2), snow (1) |
| Silent | 1 | 0 | snow (1) |

2 of 4 faults were detected in time.

| Fault | seeded | detected in time | median | longest | detected by |
| --- | ---: | ---: | ---: | ---: | --- |
| inverter off | 3 | 2 | 0.8 h | 1.0 h | Silent |
| string out | 1 | 0 | - | - | - |

| Alert beside a fault | times |
| --- | ---: |
| StringOut | 1 |"""


def test_a_year_without_a_false_alert_says_so():
    assessment = Assessment(false_alerts=[], side_alerts=[], detections=[])
    assert next(render_tables([("texas", assessment)])) == "No false alerts."


def test_what_was_written_before_is_replaced():
    once = with_tables(f"# A\n\n{BEGIN}\nold\n{END}\nend\n", ["new"])
    assert once == f"# A\n\n{BEGIN}\n\nnew\n\n{END}\nend\n"
    assert with_tables(once, ["new"]) == once


def test_the_document_has_a_place_for_the_tables():
    assert DOCUMENT.read_text("utf-8").count(BEGIN) == 1
    assert DOCUMENT.read_text("utf-8").count(END) == 1
