"""The enumerations of the reference, one row a code; the names are the exporter's."""

from collections.abc import Mapping

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

# States in which an inverter could give more than it does.
LIMITED_STATES = frozenset({0x0201, 0x0202, 0x0304})

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

# ch_discharge_model (reference 3.6); from 5 on, that of newer servers.
BATTERY_MODES: Mapping[int, str] = {
    0: "none",
    1: "forced_charge_discharge",
    2: "time_of_use_price",
    3: "fixed_charge_discharge",
    4: "maximum_self_consumption",
    5: "fully_fed_to_grid",
    6: "time_of_use",
    7: "remote_maximum_self_consumption",
    8: "remote_fully_fed_to_grid",
    9: "remote_time_of_use",
    10: "ai_energy_control",
    11: "remote_ai_energy_control",
    12: "third_party_dispatch",
}

# Of a Power-M site, on newer servers: mains_state, grid_quality_grade, running_state,
# battery_state, and on_off_state, of which 0 is on. `unknown` is for codes without a name alone.
MAINS_STATES: Mapping[int, str] = {0: "unavailable", 1: "available"}
GRID_QUALITIES: Mapping[int, str] = {
    0: "undetermined",
    1: "class_1",
    2: "class_2",
    3: "class_3",
    4: "class_4",
}
GENSET_STATES: Mapping[int, str] = {0: "undetermined", 1: "stopped", 2: "running"}
RACK_STATES: Mapping[int, str] = {
    0: "initial_power_on",
    1: "power_off",
    2: "float_charging",
    3: "boost_charging",
    4: "discharging",
    5: "charging",
    6: "testing",
    7: "hibernating",
    8: "standby",
}
SOLAR_SUPPLY_STATES: Mapping[int, str] = {0: "on", 1: "off"}

# controlMode, and limitationMode below it: newer servers' export limit, in words.
EXPORT_LIMIT_MODES: Mapping[str, str] = {
    "noLimit": "no_limit",
    "zeroExportLimitation": "zero_export_limitation",
    "limitedPowerGridKW": "limited_power_grid_kw",
    "limitedPowerGridPercent": "limited_power_grid_percent",
    "other": "other",
}
EXPORT_LIMIT_SCOPES: Mapping[str, str] = {
    "totalPower": "total_power",
    "singlePhasePower": "single_phase_power",
}

# operationMode, and redundantPVEnergyPriority below it: the batteries of a plant, in words. The
# first spelling of feeding in fully is the servers'.
BATTERY_MODE_WORDS: Mapping[str, str] = {
    "maximumSelfConsumption": "maximum_self_consumption",
    "fullyFidToGrid": "fully_fed_to_grid",
    "fullyFedToGrid": "fully_fed_to_grid",
    "TOU": "time_of_use",
    "thirdPartyDispatch": "third_party_dispatch",
    "other": "other",
}
SURPLUS_PRIORITIES: Mapping[str, str] = {
    "fedToGridPreference": "fed_to_grid",
    "chargePreference": "charge",
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

# The code that means that the device cannot be reached, by key.
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
