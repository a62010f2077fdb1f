"""One scene, from its sky to the verdict."""

import tempfile
from pathlib import Path

from year.engine import Engine, prometheus
from year.verdict import judge
from year.world import Window, World


def evaluate(scene):
    """The verdict on a scene."""
    world = World(scene)
    judged = Window(world.span.judged, world.span.judged, world.span.last)
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder)) as url:
        engine = Engine(url)
        engine.load(world.days())
        engine.record(world.span)
        return judge(world, engine.alerts(judged))
