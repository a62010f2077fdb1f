"""A Power-M site: what carries its loads, and for how long would its batteries?"""

from grafana.source import states
from grafana.source.boards import ACCOUNT, PLANTS, Line, dashboard
from grafana.source.panels import Query, curves, numbers, ranking, timeline
from grafana.source.promql import of_plants, per_plant, with_names
from grafana.source.tables import Column, each, table

NAMES = "{{plant_name}}, {{device_name}}"
MAINS_COLOR, GENSET_COLOR, SUN_COLOR, RACK_COLOR, LOAD_COLOR = (
    "red", "orange", "yellow", "green", "purple",
)  # fmt: skip
MAINS = of_plants("mains_active_power_watts")
GENSET = of_plants("genset_output_power_watts")
SUPPLY = of_plants("solar_supply_group_output_power_watts")
CONVERTER = of_plants("converter_pv_power_watts")
RACK = of_plants("rack_power_watts")
OUTPUT = of_plants("ac_output_active_power_watts")
# A site may report the power of its modules twice.
SUN = f"({per_plant(CONVERTER)} or {per_plant(SUPPLY)})"
CHARGE = of_plants("rack_state_of_charge_ratio")
CAPACITY = of_plants("rack_capacity_joules")
BACKUP = of_plants("rack_remaining_backup_seconds")
NONE = "No Power-M site is read."


def _each(expression: str) -> str:
    return with_names(f"sum by (plant_code, device_id) ({expression})")


NOW = Line(
    8,
    (8, numbers(
        "Now",
        "What supplies the sites, what their AC loads take, and what the racks do. The sun's power "
        "is that of power converters or, where there are none, of solar supply units.",
        Query(f"sum({MAINS})", "from the mains", MAINS_COLOR),
        Query(f"sum({GENSET})", "from generators", GENSET_COLOR),
        Query(f"sum({SUN})", "from the sun", SUN_COLOR),
        Query(f"sum({RACK}) >= 0", "charges the racks", RACK_COLOR),
        Query(f"-sum({RACK}) > 0", "comes from the racks", RACK_COLOR),
        Query(f"sum({OUTPUT})", "AC loads", LOAD_COLOR),
        unit="watt",
    ).no_value(NONE)),
    (16, curves(
        "Power",
        "Of mains, generators, sun and AC loads; of the racks, negative while they are discharged.",
        Query(f"sum({MAINS})", "mains", MAINS_COLOR),
        Query(f"sum({GENSET})", "generators", GENSET_COLOR),
        Query(f"sum({SUN})", "sun", SUN_COLOR),
        Query(f"sum({RACK})", "racks (+ charging)", RACK_COLOR),
        Query(f"sum({OUTPUT})", "AC loads", LOAD_COLOR),
        unit="watt", fill=0,
    ).no_value(NONE)),
)  # fmt: skip

STATES = Line(
    7,
    (8, timeline(
        "Mains", "Whether the mains are there.",
        with_names(of_plants("mains_state_code")), NAMES, states.MAINS,
    ).no_value("No mains report their state.")),
    (8, timeline(
        "Generators", "Whether each generator set runs.",
        with_names(of_plants("genset_state_code")), NAMES, states.GENSET,
    ).no_value("No generator set is read.")),
    (8, timeline(
        "Battery racks", "Operating state of each rack.",
        with_names(of_plants("rack_state_code")), NAMES, states.RACK,
    ).no_value("No rack is read.")),
)  # fmt: skip

RACKS = Line(
    8,
    (7, curves(
        "State of charge", "Of each rack.",
        Query(with_names(CHARGE), NAMES), unit="percentunit", floor=0, fill=0,
    ).no_value("No rack is read.")),
    (5, ranking(
        "Remaining backup time", "How long each rack will carry its loads: the ten shortest.",
        f"sort({with_names(f'bottomk(10, {BACKUP})')})", NAMES, "s",
        steps=((None, "text"), (0, "red"), (4 * 3600, "orange"), (8 * 3600, "green")),
        long_names=True,
    ).no_value("no rack")),
    (12, table(
        "Racks", "Every rack as it stands.",
        {"plant_name": "Plant", "device_name": "Rack", "device_id": "",
         "plant_code": ""},
        *each(
            _each,
            Column("Power", RACK, "watt", 1, width=85),
            Column("Charge", CHARGE, "percentunit", 0, bar=1, width=105),
            Column("Holds", f"{CAPACITY} / 3600000", "kwatth", 1, width=85),
            Column("Discharges", of_plants("rack_discharges"), "none", 0, width=90),
        ),
        sort={"Plant": False}, least=100,
    ).no_value("No rack is read.")),
)  # fmt: skip

SUPPLIES = Line(
    8,
    (8, curves(
        "Mains and generator load", "Voltage of the mains; on the right, how far generators are "
        "loaded.",
        Query(with_names(of_plants("mains_voltage_volts")), NAMES),
        Query(
            with_names(of_plants("genset_load_ratio")), f"{NAMES}, load", unit="percentunit",
            line={"axisSoftMin": 0, "axisSoftMax": 1},
        ),
        unit="volt", fill=0,
    ).no_value("Neither mains nor generators are read.")),
    (8, timeline(
        "Solar supply units", "Whether each unit is switched on.",
        with_names(of_plants("solar_supply_unit_state_code")), NAMES, states.SOLAR_SUPPLY,
    ).no_value("No solar supply unit is read.")),
    (8, curves(
        "Power converters", "Apparent power that each one puts out.",
        Query(with_names(of_plants("converter_output_apparent_power_volt_amperes")), NAMES),
        unit="voltamp", fill=0,
    ).no_value("No power converter is read.")),
)  # fmt: skip

DASHBOARD = dashboard(
    "fusionsolar-site",
    "Power-M site",
    "What carries the loads of Power-M sites, and for how long their batteries would.",
    (ACCOUNT, PLANTS),
    (NOW, STATES, RACKS, SUPPLIES),
)
