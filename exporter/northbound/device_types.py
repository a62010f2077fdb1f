"""The device types of the reference and of newer servers, one row a `devTypeId`.

A slug is part of the public contract. Newer documents call 8 a smart transformer station and 13 a
protocol converter; both keep the names of the reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceType:
    """One row: what is known of a `devTypeId` (reference 2.8; 41, 23070 and up: newer servers).

    `slug` is its name in labels and in the configuration. A `realtime` type answers getDevRealKpi
    and getDevFiveMinutes (2.9, 2.10), one with `statistics` getDevKpiDay, Month and Year (2.11 to
    2.13), an `upgradable` one devUpgrade and getDevUpgradeInfo (2.14, 2.15). `max_watts` is the
    most that one device delivers, with room for those to come: today's largest string inverter has
    0.35 MW, the largest central one 9 MW; power sensors stand in homes and in businesses. None: it
    may be as large as the largest plant.
    """

    number: int
    slug: str
    realtime: bool = False
    statistics: bool = False
    upgradable: bool = False
    max_watts: float | None = None


DEVICE_TYPES: Mapping[int, DeviceType] = {
    row.number: row
    for row in (
        DeviceType(
            1, "string_inverter", realtime=True, statistics=True, upgradable=True, max_watts=1e6
        ),
        DeviceType(2, "smartlogger"),
        DeviceType(3, "string"),
        DeviceType(6, "bay"),
        DeviceType(7, "busbar"),
        DeviceType(8, "transformer", realtime=True),
        DeviceType(9, "transformer_meter"),
        DeviceType(10, "emi", realtime=True),
        DeviceType(11, "ac_combiner_box"),
        DeviceType(13, "dpu"),
        DeviceType(14, "central_inverter", realtime=True, statistics=True, max_watts=2e7),
        DeviceType(15, "dc_combiner_box", realtime=True),
        DeviceType(16, "general_device"),
        DeviceType(17, "grid_meter", realtime=True),
        DeviceType(18, "step_up_station"),
        DeviceType(19, "factory_used_energy_generation_area_meter"),
        DeviceType(20, "solar_power_forecasting_system"),
        DeviceType(21, "factory_used_energy_non_generation_area_meter"),
        DeviceType(22, "pid"),
        DeviceType(23, "virtual_device_of_plant_monitoring_system"),
        DeviceType(24, "power_quality_device"),
        DeviceType(25, "step_up_transformer"),
        DeviceType(26, "photovoltaic_grid_connection_cabinet"),
        DeviceType(27, "photovoltaic_grid_connection_panel"),
        DeviceType(37, "pinnet_smartlogger"),
        DeviceType(
            38,
            "smart_energy_center",
            realtime=True,
            statistics=True,
            upgradable=True,
            max_watts=1e6,
        ),
        DeviceType(39, "battery", realtime=True, statistics=True, max_watts=1e7),
        DeviceType(40, "smart_backup_box"),
        DeviceType(41, "ess", realtime=True, statistics=True, max_watts=1e9),
        DeviceType(45, "mbus"),
        DeviceType(46, "optimizer"),
        DeviceType(47, "power_sensor", realtime=True, max_watts=5e7),
        DeviceType(52, "saj_data_logger"),
        DeviceType(53, "high_voltage_bay_of_the_main_transformer"),
        DeviceType(54, "main_transformer"),
        DeviceType(55, "low_voltage_bay_of_the_main_transformer"),
        DeviceType(56, "bus_bay"),
        DeviceType(57, "line_bay"),
        DeviceType(58, "plant_transformer_bay"),
        DeviceType(59, "svc_svg_bay"),
        DeviceType(60, "bus_tie_section_bay"),
        DeviceType(61, "plant_power_supply_device"),
        DeviceType(62, "dongle"),
        DeviceType(63, "distributed_smartlogger"),
        DeviceType(70, "safety_box"),
        DeviceType(23070, "emma", realtime=True, max_watts=5e7),
        DeviceType(23093, "pv_ess_all_in_one"),
        DeviceType(60001, "mains", realtime=True, max_watts=1e7),
        DeviceType(60003, "genset", realtime=True, max_watts=1e7),
        DeviceType(60010, "ac_output", realtime=True, max_watts=1e7),
        DeviceType(60014, "battery_rack", realtime=True, max_watts=1e7),
        DeviceType(60043, "solar_supply_group", realtime=True, max_watts=1e7),
        DeviceType(60044, "solar_supply_unit", realtime=True, max_watts=1e7),
        DeviceType(60092, "power_converter", realtime=True, max_watts=1e7),
    )
}
DEVICE_TYPE_SLUGS = tuple(row.slug for row in DEVICE_TYPES.values())


def device_type_slug(type_id: int) -> str:
    """The label value for a device type: its slug, or `type_<n>` for a number without a row."""
    row = DEVICE_TYPES.get(type_id)
    return row.slug if row else f"type_{type_id}"


REALTIME_TYPES = frozenset(number for number, row in DEVICE_TYPES.items() if row.realtime)
STATISTICS_TYPES = frozenset(number for number, row in DEVICE_TYPES.items() if row.statistics)
UPGRADABLE_TYPES = frozenset(number for number, row in DEVICE_TYPES.items() if row.upgradable)
