"""Where the sun stands and what a clear sky lets through: facts of astronomy and of the sources."""

from datetime import UTC, datetime
from math import asin, atan2, degrees, isclose

import pytest
from astral import Observer
from astral.sun import azimuth, elevation
from hypothesis import given
from hypothesis import strategies as st

from exporter.sky import (
    WAYS,
    Light,
    clear_day,
    clear_sky,
    direction,
    global_horizontal,
    on_plane,
    planes_at,
    sun_at,
    sun_over,
)

LEVEL = (0.0, 0.0, 1.0)
PLACES = st.tuples(st.floats(-66, 66), st.floats(-180, 180))
TIMES = st.floats(0, 4e9)


def at(*moment):
    return datetime(*moment, tzinfo=UTC).timestamp()


@given(PLACES, TIMES)
def test_the_sun_stands_where_astronomy_sees_it(place, time):
    sun = sun_over(place, time)
    east, north, up = direction(sun.latitude, sun.declination, sun.hour_angle)
    observer, moment = Observer(*place), datetime.fromtimestamp(time, UTC)
    assert degrees(asin(up)) == pytest.approx(sun.elevation)
    assert sun.elevation == pytest.approx(
        elevation(observer, moment, with_refraction=False), abs=0.01
    )
    if abs(sun.elevation) < 80:  # above one's head it has no side
        turn = degrees(atan2(east, north)) - azimuth(observer, moment)
        assert abs((turn + 180) % 360 - 180) < 0.1


@given(PLACES, TIMES)
def test_the_sun_never_leaves_its_tropics(place, time):
    assert abs(sun_over(place, time).declination) < 23.5


@pytest.mark.parametrize("place", [(48.0, 11.0), (-33.0, 151.0), (1.3, 103.8), (69.6, 18.9)])
def test_before_its_culmination_the_hour_angle_is_negative(place):
    noon = at(2026, 4, 10, 12) - place[1] / 15 * 3_600
    angles = [sun_over(place, noon + hours * 3_600).hour_angle for hours in (-4, -1, 1, 4)]
    assert angles == pytest.approx([-60, -15, 15, 60], abs=1.0)


def test_days_change_at_solar_midnight():
    east = (35.0, 135.0)  # nine hours ahead
    days = [sun_over(east, at(2026, 4, 10, hour)).day for hour in (0, 14, 16, 23)]
    assert [day - days[0] for day in days] == [0, 0, 1, 1]


def test_a_clear_sky_is_the_one_of_haurwitz():
    assert global_horizontal(1.0) == pytest.approx(1_035.1, abs=0.1)
    assert global_horizontal(0.5) == pytest.approx(487.9, abs=0.1)
    assert global_horizontal(0.0) == global_horizontal(-0.5) == 0.0


@given(st.floats(0.001, 1.0))
def test_beam_and_sky_together_are_what_falls_on_level_ground(up):
    light = clear_sky(((1 - up * up) ** 0.5, 0.0, up))
    assert on_plane(light, LEVEL) == pytest.approx(global_horizontal(up))
    assert min(light) >= 0.0


def test_at_night_nothing_falls_on_anything():
    assert clear_sky((0.0, 1.0, 0.0)) == clear_sky((0.0, 0.0, -1.0)) == (0.0, 0.0, 0.0, 0.0)


def test_modules_that_face_the_sun_get_more_than_level_ones_and_those_turned_away_less():
    morning = sun_at(0, 48.0, 0.0, -60.0)
    east, level, west = (
        on_plane(morning.light, plane)
        for plane in ((0.5, 0.0, 0.75**0.5), LEVEL, (-0.5, 0.0, 0.75**0.5))
    )
    assert east > 1.5 * level > 3 * west > 0


def test_lights_add_up():
    one, other = Light(1.0, 2.0, 3.0, 4.0), Light(0.5, 0.5, 0.5, 0.5)
    assert one.plus(other) == (1.5, 2.5, 3.5, 4.5)


@pytest.mark.parametrize(("latitude", "equator"), [(48.0, -1.0), (0.0, -1.0), (-33.0, 1.0)])
def test_the_likeliest_modules_look_to_the_equator(latitude, equator):
    east, north, up = planes_at(latitude)[0]
    assert (isclose(east, 0.0, abs_tol=1e-9), north * equator > 0, up > 0.9) == (True, True, True)


def test_planes_are_directions_and_there_are_as_many_everywhere():
    for latitude in (48.0, -48.0):
        planes = planes_at(latitude)
        assert len(set(planes)) == len(planes) == WAYS
        assert [sum(each * each for each in plane) for plane in planes] == pytest.approx(
            [1.0] * WAYS
        )


def test_a_clear_day_has_each_plane():
    day = clear_day(48.0, 10.0, (-30.0, 30.0))
    lights = [sun_at(0, 48.0, 10.0, angle).light for angle in (-30.0, 30.0)]
    assert day == tuple(
        tuple(on_plane(light, plane) for light in lights) for plane in planes_at(48.0)
    )
