"""The demo: what it shows without being told how."""

from pathlib import Path

import yaml

from exporter.commands.demo import demo_settings

COMPOSED = Path(__file__).parents[2] / "compose" / "demo.yaml"


def test_the_demo_names_the_currency_of_its_income():
    assert demo_settings("http://127.0.0.1:10053").currency == "EUR"
    assert yaml.safe_load(COMPOSED.read_text("utf-8"))["currency"] == "EUR"
