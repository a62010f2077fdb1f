"""Plants (reference 3.1)."""

from exporter.catalogue.lines import counter, expand, gauge, stateset
from exporter.northbound.codes import PLANT_HEALTH_STATES

ALL = (None,)

KPIS = (
    stateset("real_health_state", ALL, "health_state", PLANT_HEALTH_STATES, "Health of a plant"),

    gauge("day_power",     "kWh", ALL, "day_energy_joules",   "Energy produced today"),
    gauge("month_power",   "kWh", ALL, "month_energy_joules", "Energy produced this month"),
    counter("total_power", "kWh", ALL, "energy_joules_total", "Lifetime energy produced"),

    gauge("day_income", "currency", ALL, "day_income", "Revenue today, in the account's currency"),
    gauge("total_income", "currency", ALL, "income", "Lifetime revenue, in the account's currency"),
)  # fmt: skip

ROWS = expand("plant", {"getStationRealKpi": KPIS})
