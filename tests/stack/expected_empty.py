"""What may return nothing in good health, and why. Everything else must return data.

Keys are a dashboard and the title of a panel, and which of its queries if not all, a file of rules
and the name of a rule, or a series that alerts look at.
"""

ALARMS, EXPORTER = "fusionsolar-alarms", "fusionsolar-exporter"
FLOW, METERS = "fusionsolar-flow", "fusionsolar-meters"
FLEET, HOME = "fusionsolar-fleet", "fusionsolar-home"
INVERTER, PLANT = "fusionsolar-inverter", "fusionsolar-plant"
ENERGY, PRODUCTION, ALERTS = "energy.yml", "production.yml", "alerts"
SIBLINGS, STRINGS, DECLINE = "siblings.yml", "strings.yml", "decline.yml"
POWER, CURRENT = "inverter:fusionsolar_inverter_power", "string:fusionsolar_string_current"
ENERGY_OF_DAY = "plant:fusionsolar_plant_day_energy_joules"

# They tell what is wrong. In trouble, each must return data.
TROUBLES = {
    (ALARMS, "Affected plants"),
    (ALARMS, "Active alarms"),
    (ALARMS, "New per day"),
    (ALARMS, "Active by plant"),
    (ALARMS, "New by plant in 7 days"),
    (EXPORTER, "Failures"),
    (EXPORTER, "Unanswered"),
    (EXPORTER, "Rejected values"),
    (EXPORTER, "Unknown keys"),
    (EXPORTER, "Unknown states"),
}

SITE = (
    "Now",
    "Power",
    "Mains",
    "Generators",
    "Battery racks",
    "State of charge",
    "Remaining backup time",
    "Racks",
    "Mains and generator load",
    "Solar supply units",
    "Power converters",
)

EXPECTED = ((HOME, "Power", "C"), (PLANT, "Power and irradiance", "B"), (INVERTER, "Power", "C"))

# They are always empty on a stack that is a minute old and has the simulator's fleet.
NEVER = {
    **{("fusionsolar-site", title): "no simulated plant is a Power-M site" for title in SITE},
    ("curtailment.yml", "plant:fusionsolar_plant_export_limit_watts:in_force"): (
        "the interfaces of configuration are off"
    ),
    **dict.fromkeys(EXPECTED, "what is expected is learned from a week"),
    (SIBLINGS, f"{POWER}:of_expected"): "what is expected is learned from a week",
    (ALERTS, "fusionsolar_exporter_account_held"): "one exporter shares no account with others",
    (ALERTS, "fusionsolar_plant_battery_mode"): "the interfaces of configuration are off",
    (PLANT, "Export limit"): "the interfaces of configuration are off",
    (PLANT, "Battery mode"): "the interfaces of configuration are off",
    (PLANT, "Maximum feed-in"): "the interfaces of configuration are off",
    (METERS, "External measuring point"): "no simulated EMMA measures a second point",
    (METERS, "Energy at external measuring points"): "no simulated EMMA measures a second point",
    (ALERTS, "fusionsolar_device_upgrade_state_code"): "no upgrade was ordered",
    (ALERTS, "fusionsolar_device_upgrade_timestamp_seconds"): "no upgrade was ordered",
    (PRODUCTION, "plant:fusionsolar_noon_sun_elevation_degrees:offset60d"): "a day must be behind",
    (DECLINE, f"{ENERGY_OF_DAY}:of_clear_sky"): "it is told in the night, once in six hours",
    (DECLINE, f"{ENERGY_OF_DAY}:of_clear_sky_best30d"): "a month of nights must be behind",
    (DECLINE, "plant:fusionsolar_plant_energy:of_theoretical_median21d"): "it takes five fair days",
    **dict.fromkeys(
        [
            (SIBLINGS, f"{POWER}:of_max"),
            (SIBLINGS, f"{POWER}:of_best_in_sun"),
            (SIBLINGS, f"{POWER}:usual_in_sun"),
            (SIBLINGS, f"{POWER}:of_usual_in_sun"),
            (SIBLINGS, f"{POWER}:of_max_in_sun"),
            (SIBLINGS, f"{POWER}:of_max_in_sun_max4d"),
            (SIBLINGS, f"{POWER}:dropped"),
            (SIBLINGS, f"{POWER}:recovered"),
            (SIBLINGS, f"{POWER}:snow_free"),
            (SIBLINGS, "plant:fusionsolar_inverter_power_of_clear_sky:max"),
            (SIBLINGS, "plant:fusionsolar_inverter_power_of_clear_sky:in_sun"),
            (DECLINE, f"{POWER}:of_own_best"),
            (DECLINE, f"{POWER}:of_own_best_steady3h"),
            (DECLINE, f"{POWER}:of_own_best_uniform"),
            (DECLINE, f"{POWER}:of_own_best_uniform_unshared"),
            (DECLINE, f"{POWER}:of_own_best_uniform_ended"),
            (DECLINE, f"{POWER}:of_own_best_uniform_count7d"),
            (DECLINE, f"{POWER}_of_own_best:p75_10h"),
            (DECLINE, f"{POWER}_of_own_best:main_hours"),
            (DECLINE, f"{POWER}_of_own_best:main_hours_p75_10h"),
            (DECLINE, "plant:fusionsolar_inverter_power_of_own_best:p75"),
            (DECLINE, "account:fusionsolar_inverter_power_of_own_best:p75"),
            (DECLINE, f"{POWER}:of_median_in_sun"),
            (DECLINE, f"{POWER}:of_median_in_sun_median1d"),
            (DECLINE, f"{POWER}_watts:in_sun"),
            (DECLINE, f"{POWER}:of_median_size_in_sun"),
            (DECLINE, f"{POWER}:of_median_size_in_sun_median1d"),
            (DECLINE, f"{POWER}:of_median_size_in_sun_best60d"),
            (DECLINE, f"{POWER}:of_clear_sky"),
            (DECLINE, f"{POWER}_of_clear_sky:high_sun"),
            (STRINGS, f"{CURRENT}:of_max"),
            (STRINGS, f"{CURRENT}:of_best"),
            (STRINGS, f"{CURRENT}:of_best_in_sun"),
            (STRINGS, f"{CURRENT}:usual_in_sun"),
            (STRINGS, f"{CURRENT}:of_usual_in_sun"),
            (STRINGS, f"{CURRENT}:of_max_in_sun"),
            (STRINGS, f"{CURRENT}:of_max_in_sun_max4d"),
            (STRINGS, f"{CURRENT}:dropped"),
            (STRINGS, f"{CURRENT}:out_in_diffuse_light"),
            (STRINGS, f"{CURRENT}:recovered"),
            (STRINGS, "device:fusionsolar_string_current_of_max:max"),
            (STRINGS, "device:fusionsolar_string_current_of_clear_sky:max"),
            (STRINGS, "device:fusionsolar_string_current_of_clear_sky:in_sun"),
        ],
        "a day must be behind",
    ),
}

# They have data at some hours only.
SOMETIMES = {
    **dict.fromkeys(
        [
            (ENERGY, "phase:fusionsolar_voltage_volts:median14d"),
            (ENERGY, "phase:fusionsolar_voltage_volts:nominal"),
            (ENERGY, "phase:fusionsolar_voltage_volts:of_median14d"),
            (PRODUCTION, "inverter:fusionsolar_inverter_active_power_watts:max14d"),
            (PRODUCTION, "plant:fusionsolar_inverter_capacity_watts:lower_bound"),
            (PRODUCTION, "plant:fusionsolar_temperature_celsius:min5d"),
            (ENERGY, "phase:fusionsolar_voltage_volts:nominal"),
        ],
        "looks back in steps of up to two hours: a full hour must be behind",
    ),
    **dict.fromkeys(
        [
            (PLANT, "Energy per day"),
            (PLANT, "Performance ratio per day"),
            (HOME, "Day by day"),
            (HOME, "Month by month, and the year before"),
            (HOME, "Calendar"),
            (HOME, "Best days"),
            (HOME, "Worst days"),
            (HOME, "Year by year"),
            (HOME, "Specific yield by year, kWh/kWp"),
            (HOME, "Savings and earnings by year"),
        ],
        "a day or month is drawn at the midnight at which it began, which is seldom now",
    ),
    **dict.fromkeys(
        [(INVERTER, "Strings"), (PLANT, "Strings of combiner boxes")],
        "a string is known once it had a current or a voltage, and by night none has",
    ),
    **{(FLOW, "State of charge", part): "it is weighed, or else a plain mean" for part in "AB"},
    **{(HOME, "Now", part): "grid and battery have one direction at a time" for part in "CDEFGH"},
    (HOME, "Now", "J"): "no reading is old",
    (FLEET, "Power by plant", "B"): "no plant is beyond the ten largest",
    (FLEET, "Plants that were not healthy"): "all plants are healthy in most hours",
    (FLEET, "Highest power now, kW/kWp"): "by night no plant gives any",
    (STRINGS, "string:fusionsolar_string_current_amperes:max45d"): "strings carry by day",
    (STRINGS, "device:fusionsolar_string_carrying:count"): "strings carry by day",
    (STRINGS, "device:fusionsolar_string_carrying:max1d"): "strings carry by day",
    (STRINGS, f"{CURRENT}_amperes:rewired"): "no string moves to another input",
    (STRINGS, "string:fusionsolar_string_current_amperes:in_shade"): "most strings see the sun",
    (SIBLINGS, f"{POWER}:idle"): "nothing is wrong with most, and the night excuses them",
    (SIBLINGS, "inverter:fusionsolar_inverter_limited:count20m"): "few are limited, and by day",
    (SIBLINGS, f"{POWER}:flat1h"): "few are limited, and by day",
    (SIBLINGS, "inverter:fusionsolar_inverter_active_power_watts:repeated"): (
        "readings move by day, and it takes an hour to tell"
    ),
    **dict.fromkeys(
        [(SIBLINGS, f"{POWER}_watts:snow_covered"), (STRINGS, f"{CURRENT}_amperes:snow_covered")],
        "no snow lies on most, and it takes days to tell",
    ),
    (PRODUCTION, "plant:fusionsolar_inverter_without_sunlight:count"): "no snow lies on most",
    (PRODUCTION, "plant:fusionsolar_inverter_warm_without_power:count"): "few fail in warm air",
    (DECLINE, "plant:fusionsolar_inverter_power:of_irradiance"): "it takes bright light",
    (DECLINE, "plant:fusionsolar_plant_energy:of_theoretical"): (
        "the day before must have been sunny, and its temperatures known"
    ),
    (ALERTS, "fusionsolar_alarm_active"): "in some hours no device has an alarm",
    (INVERTER, "String voltages"): "central inverters tell one for all strings, and only by day",
}
