"""A page that goes by the clock of whoever fills it."""

from exposition.world import World


class ClockedWorld(World):
    """A page with its sink, by a fake clock instead of times that a test sets."""

    at = property(lambda self: self._clock.now(), lambda _self, _at: None)
    epoch = property(lambda self: self._clock.time(), lambda _self, _epoch: None)

    def __init__(self, clock, **settings):
        self._clock = clock
        super().__init__(**settings)
