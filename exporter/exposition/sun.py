"""Where the sun stands over each plant: what tells a dark night from a dead inverter."""

from collections.abc import Mapping
from datetime import UTC, datetime

from astral import Observer
from astral.sun import elevation

from exporter.catalogue.model import Metric
from exporter.exposition.page import render
from exporter.exposition.things import SUN_ELEVATION, Place, plant_labels


def render_sun(account: str, places: Mapping[str, Place], wall: float) -> Mapping[Metric, bytes]:
    """The lines about the sun over the plants of an account; `wall` is seconds since the epoch."""
    now = datetime.fromtimestamp(wall, UTC)
    samples = [
        (plant_labels(account, code), round(elevation(Observer(latitude, longitude), now), 2))
        for code, (latitude, longitude) in places.items()
    ]
    return {SUN_ELEVATION: render(SUN_ELEVATION, samples)} if samples else {}
