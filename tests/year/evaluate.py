"""One scenario, from its weather to the assessment of the alerts."""

import tempfile
from pathlib import Path

from year.assessment import assess
from year.engine import Engine, prometheus
from year.simulation import Simulation


def evaluate(scenario):
    """The assessment of the project's alerts in a scenario."""
    simulation = Simulation(scenario)
    window = simulation.window
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder)) as url:
        engine = Engine(url)
        engine.load(simulation.days())
        engine.record(window.first, window.last)
        return assess(simulation, engine.alerts(window.assessed, window.last))
