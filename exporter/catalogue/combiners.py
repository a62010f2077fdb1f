"""DC combiner boxes (15; reference 3.6, 3.7)."""

from exporter.catalogue.tables import SubjectTables, device_tables, gauge, numbered, stateset
from exporter.northbound.enums import RUN_STATES

ALL = (15,)

STRINGS = numbered("string", 20)

KPIS = (
    stateset("run_state", ALL, "run_state", RUN_STATES, "Connection of a combiner box"),

    gauge("dc_i{}",  "A", ALL, "string_current_amperes", "Current of a string", STRINGS),
    gauge("photc_i", "A", ALL, "dc_current_amperes",     "Current of all strings together"),
    gauge("photc_u", "V", ALL, "dc_voltage_volts",       "Voltage of the strings"),

    # The key is really spelt like this, but for the 5-minute data.
    gauge("temprature",    "°C", ALL, "temperature_celsius", "Temperature inside a combiner box"),
    gauge("thunder_count", "",   ALL, "lightning_strikes",   "Lightning strikes counted"),
)  # fmt: skip

SUBJECT = SubjectTables(
    "combiner", "DC combiner boxes", device_tables(KPIS, renamed={"temprature": "temperature"})
)
