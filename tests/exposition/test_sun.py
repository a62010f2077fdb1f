"""Where the sun stands: known facts of the sky, and a page that moves with time."""

from datetime import UTC, datetime

import pytest

from exporter.exposition.families import SUN_ELEVATION
from exporter.exposition.inventory import render_sun
from exporter.exposition.page import Format, Page


def elevation(place, *moment):
    lines = render_sun("a", {"P": place}, datetime(*moment, tzinfo=UTC).timestamp())
    return float(lines[SUN_ELEVATION].split()[-1])


@pytest.mark.parametrize(
    ("place", "moment", "degrees"),
    [
        ((0.0, 0.0), (2026, 3, 20, 12, 7), 90.0),  # noon of an equinox on the equator
        ((0.0, 180.0), (2026, 3, 20, 12, 7), -90.0),  # midnight on its other side
        ((47.0, 0.0), (2026, 6, 21, 12, 2), 90 - 47 + 23.44),
        ((-47.0, 0.0), (2026, 6, 21, 12, 2), 90 - 47 - 23.44),
        ((66.0, 0.0), (2026, 12, 21, 11, 58), 90 - 66 - 23.44),
        ((80.0, 0.0), (2026, 12, 21, 11, 58), 90 - 80 - 23.44),  # the polar night
    ],
)
def test_the_sun_stands_where_it_does(place, moment, degrees):
    assert elevation(place, *moment) == pytest.approx(degrees, abs=0.6)


def test_a_plant_of_unknown_place_has_no_sun():
    assert render_sun("a", {}, 0.0) == {}


@pytest.mark.parametrize("place", [(90.0, 0.0), (-90.0, 180.0), (0.0, -180.0)])
def test_the_ends_of_the_world_are_places_too(place):
    assert -90 <= elevation(place, 2026, 1, 1) <= 90


def test_the_sun_moves_once_a_minute_and_goes_with_its_account():
    steady = [0.0]
    page = Page({}, lambda: steady[0])
    page.move("sun", lambda: render_sun("a", {"P": (0.0, 0.0)}, 3_600 * steady[0]))

    def elevations():
        return [
            line.split()[-1]
            for line in page.exposition(Format.TEXT).decode().splitlines()
            if line.startswith(SUN_ELEVATION.name)
        ]

    first = elevations()
    steady[0] = 59.0
    assert elevations() == first
    before = page.version
    steady[0] = 61.0
    assert elevations() != first
    assert page.version == before  # a page made a moment ago is as good
    page.move("sun", None)
    steady[0] = 200.0
    assert elevations() == []


def test_a_sun_that_is_set_while_another_is_reckoned_stays():
    steady = [0.0]
    page = Page({}, lambda: steady[0])

    def render_old_plant():
        if steady[0]:  # while a scrape makes this one anew, its plant is replaced by another
            page.move("sun", lambda: render_sun("a", {"New": (0.0, 0.0)}, 0.0))
        return render_sun("a", {"Old": (0.0, 0.0)}, 0.0)

    page.move("sun", render_old_plant)
    page.exposition(Format.TEXT)
    steady[0] = 61.0
    shown = page.exposition(Format.TEXT).decode()
    assert 'plant_code="New"' in shown
    assert 'plant_code="Old"' not in shown
