"""Environmental monitoring instruments, EMI (10; reference 3.6, 3.7)."""

from exporter.catalogue.tables import SubjectTables, device_tables, gauge, stateset
from exporter.northbound.enums import RUN_STATES

ALL = (10,)

KPIS = (
    stateset("run_state", ALL, "run_state", RUN_STATES, "Connection of a weather station"),

    gauge("temperature",    "°C",  ALL, "ambient_temperature_celsius", "Temperature of the air"),
    gauge("pv_temperature", "°C",  ALL, "module_temperature_celsius",  "Temperature of PV modules"),
    gauge("wind_speed",     "m/s", ALL, "wind_speed_meters_per_second", "Speed of the wind"),
    gauge("wind_direction", "°",   ALL, "wind_direction_degrees",       "Direction of the wind"),

    gauge("radiant_line", "W/m²", ALL, "irradiance_watts_per_square_meter",
          "Irradiance in the plane of the modules"),
    gauge("horiz_radiant_line", "W/m²", ALL, "horizontal_irradiance_watts_per_square_meter",
          "Irradiance on the horizontal plane"),
    gauge("radiant_total", "MJ/m²", ALL, "day_irradiation_joules_per_square_meter",
          "Irradiation of today in the plane of the modules"),
    gauge("horiz_radiant_total", "MJ/m²", ALL, "day_horizontal_irradiation_joules_per_square_meter",
          "Irradiation of today on the horizontal plane"),
)  # fmt: skip

SUBJECT = SubjectTables("weather", "Weather stations", device_tables(KPIS))
