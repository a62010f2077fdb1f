"""Reproducible random numbers: each use has a generator seeded with its own name."""

from random import Random

from year.timeline import STEPS_PER_DAY


def random_for(*name):
    """A generator seeded with the words of a name, which give the same numbers in every run."""
    return Random(" ".join(map(str, name)))  # noqa: S311  # because weather is no secret


def interpolated_noise(random, intervals):
    """A value from 0 to 1 for each step of a day: linear between evenly spaced random ones."""
    points = [random.random() for _ in range(intervals + 1)]
    length = STEPS_PER_DAY / intervals
    values = []
    for step in range(STEPS_PER_DAY):
        index, fraction = divmod(step / length, 1)
        values.append(interpolate(points[int(index) : int(index) + 2], fraction))
    return values


def interpolate(pair, fraction):
    """The value at a fraction (0 to 1) of the way from the first to the second."""
    return pair[0] + (pair[1] - pair[0]) * fraction
