"""A plant day by day: from light on its strings to power, state, battery and meter, in steps."""

from dataclasses import dataclass

from year import events
from year.battery_model import BatteryModel
from year.surfaces import irradiance, specific_power
from year.timeline import STEP_SECONDS, STEPS_PER_DAY

EFFICIENCY = 0.975
ASLEEP, DETECTING, CONNECTED, LIMITED = 40960, 2, 512, 513  # state codes of an inverter
RUNNING = (ASLEEP, DETECTING, CONNECTED, LIMITED)
SNOW_TRANSMITTANCE = 0.004  # share of power left below a full cover
VOLTAGE_THRESHOLD = 0.002  # share of a string's power below which it has no voltage
MAX_SOILING = 0.06  # share of the light


@dataclass
class InverterOutput:
    """What an inverter does at each step of a day."""

    string_powers: dict[str, list[float]]  # W
    string_has_voltage: dict[str, list[bool]]
    dc_power: list[float]  # W
    ac_power: list[float]  # W
    state_codes: list[int]


class PlantModel:
    """A plant that keeps its snow, soiling and state of charge from day to day."""

    def __init__(self, plant, weather, faults=()):
        self.plant, self.weather, self.faults = plant, weather, faults
        self.soiling = 0.0  # share of the light
        self.snow_cover = {}  # by inverter and string, 0 to 1
        self.batteries = {
            inverter.id: BatteryModel(inverter.battery)
            for inverter in plant.inverters
            if inverter.battery
        }
        self.circumstances = []  # of the day, as the report names them

    def day(self, number):
        """The day's outputs by inverter, and W of the meter: above 0 is fed in."""
        today = self.weather.day(number)
        self.circumstances = [] if today.condition == "clear" else [today.condition]
        self.update_cover(today)
        faults = [fault for fault in self.faults if fault.active_on(number)]
        limit = events.power_limit(self.weather, self.plant, number)
        if limit:
            self.circumstances.append("curtailed")
        outputs = {
            inverter.id: self.inverter_output(inverter, today, limit, faults)
            for inverter in self.plant.inverters
        }
        load = events.household_load(self.weather, self.plant, number)
        for inverter in self.plant.inverters:
            if inverter.battery:
                self.run_battery(inverter, outputs, load, today, faults)
        powers = zip(*(output.ac_power for output in outputs.values()), strict=True)
        meter = [sum(power) - needed for power, needed in zip(powers, load, strict=True)]
        return outputs, meter

    def update_cover(self, today):
        """Dust settles until precipitation; snow covers all strings alike."""
        freezing = self.weather.mean_temperature(today.number) < 1
        if today.precipitation and freezing:
            self.snow_cover = {
                (inverter.id, string.number): 1.0
                for inverter in self.plant.inverters
                for string in inverter.strings
            }
        dust = self.weather.climate.soiling_rate
        self.soiling = 0.0 if today.precipitation else min(MAX_SOILING, self.soiling + dust)
        if self.snow_cover:
            self.circumstances.append("snow")

    def available_powers(self, inverter, today):
        """W that each string of an inverter could give without faults, by its number."""
        powers = {}
        for string in inverter.strings:
            watts, clean = string.watts, 1 - self.soiling
            made = [watts * clean * share for share in specific_power(string.surface, today)]
            if self.snow_cover.get((inverter.id, string.number)):
                made = self.below_snow(inverter, string, today, made)
            powers[string.number] = made
        return powers

    def below_snow(self, inverter, string, today, powers):
        """A string's W below its snow, which slides and melts."""
        key, light = (inverter.id, string.number), irradiance(string.surface, today)
        cover, remaining = self.snow_cover[key], []
        for step, watts in enumerate(powers):
            remaining.append(watts * max(SNOW_TRANSMITTANCE, 1 - 1.6 * cover))
            warmth = max(0.0, today.ambient_temperature[step])
            melted = 2e-5 * light[step] if warmth > 0 else 6e-6 * light[step]
            cover -= string.snow_slide_rate * (0.003 * warmth + melted)
        if cover > 0:
            self.snow_cover[key] = cover
        else:
            del self.snow_cover[key]
        return remaining

    def inverter_output(self, inverter, today, limit, faults):
        """What an inverter makes of its strings, with its faults and within a limit."""
        available = self.available_powers(inverter, today)
        has_voltage = {
            string.number: [
                watts > VOLTAGE_THRESHOLD * string.watts for watts in available[string.number]
            ]
            for string in inverter.strings
        }
        powers = {
            string.number: with_faults(
                available[string.number], inverter, string, today.number, faults
            )
            for string in inverter.strings
        }
        output = InverterOutput(powers, has_voltage, [], [], [])
        off = [fault for fault in faults if fault.kind.mode == "off" and affects(fault, inverter)]
        sums = [sum(watts) for watts in zip(*powers.values(), strict=True)]
        for step, watts in enumerate(sums):
            dc_power, state = self.operating_point(inverter, watts, limit[step] if limit else 1.0)
            at = today.number * STEPS_PER_DAY + step
            stopped_by = next((fault for fault in off if fault.active_at(at)), None)
            if stopped_by and state != ASLEEP:
                dc_power, state = 0.0, stopped_by.kind.state
            output.dc_power.append(dc_power)
            output.ac_power.append(dc_power * EFFICIENCY)
            output.state_codes.append(state)
        distribute(output, sums)
        return output

    def operating_point(self, inverter, watts, allowed):
        """DC power in W and state code of an inverter whose strings can give some W."""
        if watts < 0.004 * inverter.rated:
            return 0.0, ASLEEP
        if watts < 0.008 * inverter.rated:
            return 0.0, DETECTING
        maximum = allowed * inverter.rated / EFFICIENCY
        if allowed < 1 and watts > maximum:
            return maximum, LIMITED if self.plant.reports_limit else CONNECTED
        return min(watts, maximum), CONNECTED

    def run_battery(self, inverter, outputs, load, today, faults):
        """Lets a hybrid inverter charge, discharge, and keep to the export limit."""
        output, battery = outputs[inverter.id], self.batteries[inverter.id]
        dc_before, first = list(output.dc_power), today.number * STEPS_PER_DAY
        others = [each.ac_power for name, each in outputs.items() if name != inverter.id]
        faults = [fault for fault in faults if fault.device == "battery"]
        if min(today.ambient_temperature) < 0:
            self.circumstances.append("cold battery")
        for step in range(STEPS_PER_DAY):
            modes = {fault.kind.mode for fault in faults if fault.active_at(first + step)}
            if output.state_codes[step] not in RUNNING:
                modes = {"no use"}
            demand = load[step] - sum(power[step] for power in others)
            pv = output.dc_power[step] * EFFICIENCY
            charging = battery.step(pv - demand, today.ambient_temperature[step], modes)
            self.settle(inverter, output, step, demand, charging)
        distribute(output, dc_before)

    def settle(self, inverter, output, step, demand, charging):
        """Sets a hybrid inverter's output at a step: its PV without what charges the battery."""
        pv, limit = output.dc_power[step] * EFFICIENCY, self.plant.export_limit
        ac_power = min(pv - charging, inverter.rated)
        if limit is not None and ac_power - demand > limit:
            ac_power = demand + limit
            output.state_codes[step] = LIMITED
        if pv > 0:
            output.dc_power[step] = max(0.0, ac_power + charging) / EFFICIENCY
        output.ac_power[step] = ac_power
        if ac_power > 0 and output.state_codes[step] in (ASLEEP, DETECTING):
            output.state_codes[step] = CONNECTED  # the battery feeds it


def distribute(output, available):
    """Gives each string its share of what the inverter takes of the W available."""
    shares = [
        dc_power / watts if watts else 0.0
        for dc_power, watts in zip(output.dc_power, available, strict=True)
    ]
    output.string_powers = {
        number: [watts * share for watts, share in zip(powers, shares, strict=True)]
        for number, powers in output.string_powers.items()
    }


def affects(fault, inverter, string=None):
    """Whether a fault concerns an inverter, or a string of it."""
    if fault.device not in (None, inverter.id):
        return False
    match string and fault.kind.strings:
        case "one":
            return fault.string == string.number
        case "most":
            return string.number != inverter.strings[0].number
    return True


def with_faults(powers, inverter, string, day, faults):
    """A string's W with what its faults leave of them."""
    first = day * STEPS_PER_DAY
    for fault in faults:
        if affects(fault, inverter, string):
            powers = [w * fault.output_factor(step) for step, w in enumerate(powers, start=first)]
    return powers


def energies(powers):
    """J of each step, from its W."""
    return [watts * STEP_SECONDS for watts in powers]
