"""Panels without values say why they have none."""

import pytest
from prometheus.dashboards import DASHBOARDS, panels


def test_what_few_plants_have_is_folded_and_says_why_it_is_empty():
    folded = {
        (name, row["title"]): row
        for name, dashboard in DASHBOARDS.items()
        for row in dashboard["panels"]
        if row["type"] == "row" and row["collapsed"]
    }
    assert set(folded) == {
        ("plant", "Configuration"),
        ("plant", "Weather station"),
        ("plant", "DC combiner boxes"),
        ("meters", "Tariffs"),
        ("meters", "Transformers"),
        ("meters", "External measuring points of EMMAs"),
    }
    for row in folded.values():
        for panel in row["panels"]:
            assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]


@pytest.mark.parametrize("name", ["home", "plant", "meters"])
def test_a_home_reads_why_a_panel_is_empty(name):
    silent = [p["title"] for p in panels(name) if not p["fieldConfig"]["defaults"].get("noValue")]
    assert silent == []


def test_why_a_table_is_empty_is_not_said_in_its_empty_cells():
    tables = [p for name in DASHBOARDS for p in panels(name) if p["type"] == "table"]
    for panel in (each for each in tables if each["targets"][0]["format"] == "table"):
        overrides = panel["fieldConfig"]["overrides"]
        silent = [
            each for each in overrides if {"id": "noValue", "value": ""} in each["properties"]
        ]
        assert len(silent) == len(panel["targets"]), panel["title"]
