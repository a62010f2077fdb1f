"""The enumerations of the reference, one row a code; names are ours, in snake_case."""

from collections.abc import Mapping

# devTypeId (reference 2.8), and 41 of newer servers.
DEVICE_TYPES: Mapping[int, str] = {
    1: "string_inverter",
    2: "smartlogger",
    3: "string",
    6: "bay",
    7: "busbar",
    8: "transformer",
    9: "transformer_meter",
    10: "emi",
    11: "ac_combiner_box",
    13: "dpu",
    14: "central_inverter",
    15: "dc_combiner_box",
    16: "general_device",
    17: "grid_meter",
    18: "step_up_station",
    19: "factory_used_energy_generation_area_meter",
    20: "solar_power_forecasting_system",
    21: "factory_used_energy_non_generation_area_meter",
    22: "pid",
    23: "virtual_device_of_plant_monitoring_system",
    24: "power_quality_device",
    25: "step_up_transformer",
    26: "photovoltaic_grid_connection_cabinet",
    27: "photovoltaic_grid_connection_panel",
    37: "pinnet_smartlogger",
    38: "smart_energy_center",
    39: "battery",
    40: "smart_backup_box",
    41: "ess",
    45: "mbus",
    46: "optimizer",
    47: "power_sensor",
    52: "saj_data_logger",
    53: "high_voltage_bay_of_the_main_transformer",
    54: "main_transformer",
    55: "low_voltage_bay_of_the_main_transformer",
    56: "bus_bay",
    57: "line_bay",
    58: "plant_transformer_bay",
    59: "svc_svg_bay",
    60: "bus_tie_section_bay",
    61: "plant_power_supply_device",
    62: "dongle",
    63: "distributed_smartlogger",
    70: "safety_box",
}


def device_type_slug(type_id: int) -> str:
    """The label value for a device type: its slug, or `type_<n>` for a number we do not know."""
    return DEVICE_TYPES.get(type_id, f"type_{type_id}")


# buildState and combineType (reference 2.2).
BUILD_STATES: Mapping[str, str] = {
    "0": "not_built",
    "1": "under_construction",
    "2": "grid_connected",
}
CONNECTION_TYPES: Mapping[str, str] = {
    "1": "utility",
    "2": "commercial_and_industrial",
    "3": "residential",
}

# inverter_state (reference 3.6, its 26 states).
INVERTER_STATES: Mapping[int, str] = {
    0x0000: "standby_initializing",
    0x0001: "standby_insulation_resistance_detection",
    0x0002: "standby_sunlight_detection",
    0x0003: "standby_power_grid_detection",
    0x0100: "startup",
    0x0200: "grid_connected",
    0x0201: "grid_connected_power_limited",
    0x0202: "grid_connected_self_derating",
    0x0300: "shutdown_unexpected",
    0x0301: "shutdown_commanded",
    0x0302: "shutdown_ovgr",
    0x0303: "shutdown_communication_disconnected",
    0x0304: "shutdown_power_limited",
    0x0305: "shutdown_manual_startup_required",
    0x0306: "shutdown_dc_switch_disconnected",
    0x0401: "grid_schedule_cos_phi_p_curve",
    0x0402: "grid_schedule_q_u_curve",
    0x0500: "spot_check_ready",
    0x0501: "spot_checking",
    0x0600: "inspecting",
    0x0700: "afci_self_test",
    0x0800: "iv_scanning",
    0x0900: "dc_input_detection",
    0xA000: "standby_no_sunlight",
    0xB000: "communication_disconnected",
    0xC000: "loading",
}

# run_state of every device type (reference 3.6).
RUN_STATES: Mapping[int, str] = {0: "disconnected", 1: "connected"}

# real_health_state of a plant (reference 3.1).
PLANT_HEALTH_STATES: Mapping[int, str] = {1: "disconnected", 2: "faulty", 3: "healthy"}

# meter_status of a power sensor (reference 3.6).
METER_STATES: Mapping[int, str] = {0: "offline", 1: "normal"}

# battery_status: the reference prints no codes; these are the later editions'.
BATTERY_STATES: Mapping[int, str] = {
    0: "offline",
    1: "standby",
    2: "running",
    3: "faulty",
    4: "hibernating",
}

# ch_discharge_model (reference 3.6). Newer servers send codes up to 12 that no edition explains.
BATTERY_MODES: Mapping[int, str] = {
    0: "none",
    1: "forced_charge_discharge",
    2: "time_of_use_price",
    3: "fixed_charge_discharge",
    4: "maximum_self_consumption",
}

# lev, alarmType and status of an alarm (reference 2.16).
ALARM_SEVERITIES: Mapping[int, str] = {1: "critical", 2: "major", 3: "minor", 4: "warning"}
ALARM_TYPES: Mapping[int, str] = {
    1: "transposition",
    2: "exception",
    3: "protection",
    4: "notification",
    5: "information",
}
ALARM_STATUSES: Mapping[int, str] = {
    1: "active",
    2: "acknowledged",
    3: "being_handled",
    4: "handled",
    5: "cleared_by_user",
    6: "cleared_by_device",
}
ALARMS_OVER = frozenset({4, 5, 6})

# The codes by which a device, or the server for it, says that it cannot be reached, by key.
OFFLINE: Mapping[str, int] = {
    "run_state": 0,
    "inverter_state": 0xB000,
    "meter_status": 0,
    "battery_status": 0,
}

# upgradeResult (reference 2.15).
UPGRADE_RESULTS: Mapping[int, str] = {
    0: "not_started",
    1: "success",
    2: "failure",
    3: "cancelled",
    4: "upgrading",
    5: "timed_out",
}
