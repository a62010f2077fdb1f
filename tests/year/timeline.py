"""The simulation's time: steps of five minutes, counted from the first of January 2025, UTC.

A day is its number from that date; steps and days before it are negative. A span is a pair of steps
(start, end), of which the end is no longer part.
"""

EPOCH = 1_735_689_600  # Unix time of step 0
STEP_SECONDS = 300
STEPS_PER_HOUR = 12
STEPS_PER_DAY = 24 * STEPS_PER_HOUR
DAY_SECONDS = STEPS_PER_DAY * STEP_SECONDS


def steps_of(day):
    """The steps of a day."""
    return range(day * STEPS_PER_DAY, (day + 1) * STEPS_PER_DAY)


def in_any(step, spans):
    """Whether a step lies in one of the spans."""
    return any(start <= step < end for start, end in spans)
