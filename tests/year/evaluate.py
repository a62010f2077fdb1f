"""One climate in one window, from its sky to the verdict."""

import tempfile
from pathlib import Path

from year.engine import Engine
from year.verdict import judge
from year.world import Window, World


def evaluate(scene):
    """The verdict on a scene."""
    world = World(scene)
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder))
        engine.load(world.days())
        engine.record(world.span)
        span = Window(world.span.judged, world.span.judged, world.span.last)
        return judge(world, engine.alerts(span))
