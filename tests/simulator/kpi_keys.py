"""The keys that the reference lists for each device type (3.6)."""


def _numbered(pattern, count):
    return {pattern.format(number) for number in range(1, count + 1)}


PHASES = {"a_u", "b_u", "c_u", "a_i", "b_i", "c_i"}
LINES = {"ab_u", "bc_u", "ca_u"}
INVERTER = {
    "inverter_state", "temperature", "power_factor", "elec_freq", "active_power",
    "reactive_power", "day_cap", "total_cap", "mppt_power", "open_time", "close_time", "run_state",
} | PHASES  # fmt: skip
STORAGE = {
    "ch_discharge_power", "battery_soc", "battery_soh", "charge_cap", "discharge_cap", "run_state",
}  # fmt: skip
TARIFFS = {
    f"{direction}_{kind}_{tariff}"
    for direction in ("positive", "reverse")
    for kind in ("active", "reactive")
    for tariff in ("top", "peak", "power", "valley")
}
# Reference 3.6, and 41 as newer servers have it.
KEYS = {
    1: INVERTER | LINES | {"efficiency", "mppt_total_cap"} | _numbered("pv{}_u", 24)
    | _numbered("pv{}_i", 24) | _numbered("mppt_{}_cap", 10),
    14: INVERTER | {"center_u", "center_i", "aop"} | _numbered("center_i_{}", 10),
    38: INVERTER | LINES | {"efficiency"} | _numbered("pv{}_u", 8) | _numbered("pv{}_i", 8)
    | _numbered("mppt_{}_cap", 4),
    15: _numbered("dc_i{}", 20)
    | {"photc_i", "photc_u", "temprature", "thunder_count", "run_state"},
    10: {
        "temperature", "pv_temperature", "wind_speed", "wind_direction", "radiant_total",
        "radiant_line", "horiz_radiant_line", "horiz_radiant_total", "run_state",
    },
    17: PHASES | LINES | TARIFFS | {
        "active_power", "power_factor", "active_cap", "reactive_power", "reverse_active_cap",
        "forward_reactive_cap", "reverse_reactive_cap", "active_power_a", "active_power_b",
        "active_power_c", "reactive_power_a", "reactive_power_b", "reactive_power_c",
        "total_apparent_power", "grid_frequency",
    },
    47: {
        "meter_status", "meter_u", "meter_i", "active_power", "reactive_power", "power_factor",
        "grid_frequency", "active_cap", "reverse_active_cap", "run_state",
    },
    39: STORAGE | {
        "battery_status", "max_charge_power", "max_discharge_power", "busbar_u",
        "ch_discharge_model",
    },
    41: STORAGE,
    8: PHASES | LINES
    | {"active_power", "reactive_power", "power_factor", "elec_freq", "run_state"},
}  # fmt: skip
# The rows the reference has for each type.
COUNTS = {1: 81, 14: 31, 38: 42, 15: 25, 10: 9, 17: 40, 47: 10, 39: 11, 41: 6, 8: 14}
