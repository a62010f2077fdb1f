"""What is reported, by the edition of the interface."""

from collections.abc import Callable, Mapping

from exporter.simulator.endpoints.profile import NEWEST, Profile
from exporter.simulator.world import kpis
from exporter.simulator.world.newer_kpis import NEWER_DEVICE_KPIS, Kpis, newer_plant_kpis
from exporter.simulator.world.plant_state import PlantState


def plant_kpis(profile: Profile) -> Callable[[PlantState], kpis.Values]:
    """What gives a plant's real-time values."""
    return newer_plant_kpis if profile.edition == NEWEST else kpis.plant_kpis


def device_kpis(profile: Profile) -> Mapping[int, Kpis]:
    """What gives a device's real-time values, by its type."""
    return NEWER_DEVICE_KPIS if profile.edition == NEWEST else kpis.DEVICE_KPIS
