"""Plants (reference 3.1-3.5).

The reference prints kWh for `performance_ratio`, which is a percentage. Newer servers (24.8 on)
tell what was fed in and consumed today as well, in one of two spellings.

Statistics of newer servers (24.5 on) tell what modules, inverters and batteries did apart:
`PVYield`, `inverterYield`, `chargeCap` and so on. `inverter_power` is then the modules' yield, so
it stands for what the inverters put out only where `inverterYield` lacks.
"""

from exporter.catalogue.tables import SubjectTables, counter, each, gauge, stateset
from exporter.northbound.enums import PLANT_HEALTH_STATES

ALL = (None,)

KPIS = (
    stateset("real_health_state", ALL, "health_state", PLANT_HEALTH_STATES, "Health of a plant"),

    gauge("day_power",     "kWh", ALL, "day_energy_joules",   "Energy produced today"),
    gauge("month_power",   "kWh", ALL, "month_energy_joules", "Energy produced this month"),
    counter("total_power", "kWh", ALL, "energy_joules_total", "Lifetime energy produced"),
    gauge("day_on_grid_energy", "kWh", ALL, "day_feed_in_energy_joules",
          "Energy fed into the grid today"),
    gauge("daily_on_grid_energy", "kWh", ALL, "day_feed_in_energy_joules",
          fallback_for="day_on_grid_energy"),
    gauge("day_use_energy", "kWh", ALL, "day_consumed_energy_joules", "Energy consumed today"),
    gauge("daily_use_energy", "kWh", ALL, "day_consumed_energy_joules",
          fallback_for="day_use_energy"),

    gauge("day_income", "currency", ALL, "day_income", "Revenue today, in the account's currency"),
    gauge("total_income", "currency", ALL, "income", "Lifetime revenue, in the account's currency"),
)  # fmt: skip

HOUR_STATISTICS = (
    gauge("collectTime", "ms", ALL, "period_start_timestamp_seconds", "When the period began"),

    gauge("radiation_intensity", "kWh/m²", ALL, "period_irradiation_joules_per_square_meter",
          "Irradiation during the period"),
    gauge("theory_power",   "kWh", ALL, "period_theoretical_energy_joules",
          "Energy that the irradiation of the period would have given without losses"),
    gauge("PVYield",        "kWh", ALL, "period_pv_energy_joules",
          "Energy that the modules gave during the period"),
    gauge("inverterYield",  "kWh", ALL, "period_inverter_energy_joules",
          "Energy put out by the inverters during the period; where only inverter_power is sent "
          "and there are batteries, what the modules gave"),
    gauge("inverter_power", "kWh", ALL, "period_inverter_energy_joules",
          fallback_for="inverterYield"),
    gauge("ongrid_power",   "kWh", ALL, "period_feed_in_energy_joules",
          "Energy fed into the grid during the period"),
    gauge("selfProvide",    "kWh", ALL, "period_self_supplied_energy_joules",
          "Energy consumed during the period that modules and batteries supplied"),
    gauge("chargeCap",      "kWh", ALL, "period_charge_energy_joules",
          "Energy charged into the batteries of a plant during the period"),
    gauge("dischargeCap",   "kWh", ALL, "period_discharge_energy_joules",
          "Energy discharged from the batteries of a plant during the period"),

    gauge("power_profit", "currency", ALL, "period_income",
          "Revenue of the period, in the account's currency"),
)  # fmt: skip

STATISTICS = (
    *HOUR_STATISTICS,
    gauge("use_power", "kWh", ALL, "period_consumed_energy_joules",
          "Energy consumed during the period"),
    gauge("selfUsePower", "kWh", ALL, "period_self_consumed_energy_joules",
          "Energy of the modules that was not fed into the grid during the period"),
    gauge("buyPower", "kWh", ALL, "period_purchased_energy_joules",
          "Energy drawn from the grid during the period"),

    gauge("installed_capacity", "kW", ALL, "period_capacity_watts",
          "Installed capacity of a plant in the period"),
    gauge("performance_ratio",  "%",  ALL, "period_performance_ratio",
          "Performance ratio of the period, energy put out to theoretical energy"),
    gauge("perpower_ratio",     "h",  ALL, "period_full_load_seconds",
          "Full-load hours of the period, energy divided by installed capacity"),

    gauge("reduction_total_co2",  "t", ALL, "period_co2_reduction_grams",
          "Carbon dioxide avoided by the energy of the period"),
    gauge("reduction_total_coal", "t", ALL, "period_coal_savings_grams",
          "Standard coal saved by the energy of the period"),
    gauge("reduction_total_tree", "",  ALL, "period_trees",
          "Planted trees that would avoid as much carbon dioxide as the energy of the period"),
)  # fmt: skip

SUBJECT = SubjectTables("plant", "Plants", {
    "getStationRealKpi": KPIS,
    "getKpiStationHour": each("hour", HOUR_STATISTICS),
    "getKpiStationDay": each("day", STATISTICS),
    "getKpiStationMonth": each("month", STATISTICS),
    "getKpiStationYear": each("year", STATISTICS),
})  # fmt: skip
