"""A plant's days: from light on its strings to power, state, battery and meter. All in steps."""

from dataclasses import dataclass

from year import events
from year.sky import STEP, STEPS
from year.storage import Storage
from year.surfaces import light, specific

EFFICIENCY = 0.975
ASLEEP, DETECTING, CONNECTED, LIMITED = 40960, 2, 512, 513
THIN = 0.004  # what light comes through snow
FAINT = 0.002  # of a string's power: with less light it has no voltage


@dataclass
class Output:
    """What an inverter does in a day, at each step."""

    strings: dict[str, list[float]]  # W of each string
    lit: dict[str, list[bool]]  # whether it has a voltage
    dc: list[float]
    ac: list[float]
    state: list[int]


class Running:
    """A plant that lives from day to day: its snow, dust, battery and counters."""

    def __init__(self, plant, sky, faults=()):
        self.plant, self.sky, self.faults = plant, sky, faults
        self.dirt = 0.0
        self.snow = {}  # by inverter and string, 0 to 1
        self.storages = {each.id: Storage(each.battery) for each in plant.inverters if each.battery}
        self.notes = []  # what was going on today, as the report says it

    def day(self, number):
        """The day's outputs by inverter, W of the meter, and what the utility allowed."""
        today = self.sky.day(number)
        self.notes = [] if today.kind == "clear" else [today.kind]
        self.weather(today)
        faults = [fault for fault in self.faults if fault.on(number)]
        strings = {each.id: self.strings(each, today) for each in self.plant.inverters}
        ceiling = events.ceiling(self.sky, self.plant, number)
        if ceiling:
            self.notes.append("curtailed")
        outputs = {
            each.id: self.output(each, strings[each.id], ceiling, number, faults)
            for each in self.plant.inverters
        }
        load = events.load(self.sky, self.plant, number)
        for each in self.plant.inverters:
            if each.battery:
                self.store(each, outputs, load, today, faults)
        meter = [
            sum(powers) - needed
            for *powers, needed in zip(
                *(output.ac for output in outputs.values()), load, strict=True
            )
        ]
        return outputs, meter

    def weather(self, today):
        """Dust settles until rain; snow falls on all alike."""
        cold = self.sky.temperature(today.number) < 1
        if today.wet and cold:
            self.snow = {
                (each.id, string.number): 1.0
                for each in self.plant.inverters
                for string in each.strings
            }
        self.dirt = 0.0 if today.wet else min(0.06, self.dirt + self.sky.climate.dust)
        if self.snow:
            self.notes.append("snow")

    def strings(self, inverter, today):
        """W that each string of an inverter could give if nothing were wrong."""
        found = {}
        for string in inverter.strings:
            watts, clean = string.watts, 1 - self.dirt
            made = [watts * clean * part for part in specific(string.surface, today)]
            if self.snow.get((inverter.id, string.number)):
                made = self.covered(inverter, string, today, made)
            found[string.number] = made
        return found

    def covered(self, inverter, string, today, made):
        """The same under snow, which leaves string by string."""
        key, falling = (inverter.id, string.number), light(string.surface, today)
        cover, left = self.snow[key], []
        for step, watts in enumerate(made):
            left.append(watts * max(THIN, 1 - 1.6 * cover))
            warm, sun = max(0.0, today.ambient[step]), falling[step]
            cover -= string.slides * (0.003 * warm + (2e-5 * sun if warm > 0 else 6e-6 * sun))
        if cover > 0:
            self.snow[key] = cover
        else:
            del self.snow[key]
        return left

    def output(self, inverter, strings, ceiling, number, faults):
        """What an inverter makes of its strings, under a ceiling, if it is on."""
        lit = {
            string.number: [watts > FAINT * string.watts for watts in strings[string.number]]
            for string in inverter.strings
        }
        strings = {
            string.number: weakened(strings[string.number], inverter, string, number, faults)
            for string in inverter.strings
        }
        sums = [sum(watts) for watts in zip(*strings.values(), strict=True)]
        output = Output(strings, lit, [], [], [])
        off = [fault for fault in faults if fault.kind.mode == "off" and affects(fault, inverter)]
        for step, watts in enumerate(sums):
            stopped = next((f for f in off if f.at(number * STEPS + step)), None)
            allowed = ceiling[step] if ceiling else 1.0
            dc, state = self.works(inverter, watts, allowed)
            if stopped and state != ASLEEP:
                dc, state = 0.0, stopped.kind.state
            output.dc.append(dc)
            output.ac.append(dc * EFFICIENCY)
            output.state.append(state)
        self.share(output, sums)
        return output

    def works(self, inverter, watts, allowed):
        """DC power and state of an inverter that is on."""
        if watts < 0.004 * inverter.rated:
            return 0.0, ASLEEP
        if watts < 0.008 * inverter.rated:
            return 0.0, DETECTING
        most = allowed * inverter.rated / EFFICIENCY
        if allowed < 1 and watts > most:
            return most, LIMITED if self.plant.says_so else CONNECTED
        return min(watts, most), CONNECTED

    @staticmethod
    def share(output, sums):
        """Gives each string its part of what the inverter takes."""
        taken = [dc / most if most else 0.0 for dc, most in zip(output.dc, sums, strict=True)]
        output.strings = {
            number: [watts * part for watts, part in zip(made, taken, strict=True)]
            for number, made in output.strings.items()
        }

    def store(self, inverter, outputs, load, today, faults):
        """Lets a hybrid charge, discharge, and keep to what may be fed in."""
        output, storage = outputs[inverter.id], self.storages[inverter.id]
        before, first = list(output.dc), today.number * STEPS
        others = [each.ac for name, each in outputs.items() if name != inverter.id]
        broken = [fault for fault in faults if fault.device == "battery"]
        if min(today.ambient) < 0:
            self.notes.append("cold battery")
        for step in range(STEPS):
            modes = {fault.kind.mode for fault in broken if fault.at(first + step)}
            gap = load[step] - sum(ac[step] for ac in others)
            pv = output.dc[step] * EFFICIENCY
            if output.state[step] not in (ASLEEP, DETECTING, CONNECTED, LIMITED):
                modes = {"no use"}
            given = storage.step(pv - gap, today.ambient[step], modes)
            ac = min(pv - given, inverter.rated)
            if self.plant.export is not None and ac - gap > self.plant.export:
                ac = gap + self.plant.export
                output.state[step] = LIMITED
            if pv > 0:
                output.dc[step] = max(0.0, ac + given) / EFFICIENCY
            output.ac[step] = ac
            if ac > 0 and output.state[step] in (ASLEEP, DETECTING):
                output.state[step] = CONNECTED  # it gives what the battery has
        self.share(output, before)


def affects(fault, inverter, string=None):
    """Whether a fault is one of an inverter, or of a string of it."""
    if fault.device not in (None, inverter.id):
        return False
    match string and fault.kind.strings:
        case "one":
            return fault.string == string.number
        case "most":
            return string.number != inverter.strings[0].number
    return True


def weakened(made, inverter, string, number, faults):
    """W of a string with what its faults leave of it."""
    for fault in faults:
        if affects(fault, inverter, string):
            made = [w * fault.left(step) for step, w in enumerate(made, start=number * STEPS)]
    return made


def joules(watts):
    return [each * STEP for each in watts]
