"""What the exporter's page says of a plant, day by day: samples of each series at each step.

A row is (name, labels, values); a value of None is no sample. Readings freeze while an upload is
late, and leave the page some steps after an outage began.
"""

from itertools import accumulate

from year import events
from year.asking import ASKING
from year.simulate import ASLEEP, Running, joules
from year.sky import EPOCH, STEP, STEPS
from year.surfaces import light

HEALTHY, DISCONNECTED = 3, 1
GROUND, SELF_CONSUMPTION = 3.6e9, 4
COMMERCIAL = ("field", "clipped", "park")


class Page:
    """A plant's series. `silent` are the day's outages of its account, as (start, end).

    `expected` is what the exporter has learned to expect of the plant, if it does; `asking` is how
    its devices are asked.
    """

    def __init__(self, plant, sky, faults=(), expected=None, asking=ASKING["exact"]):
        self.plant, self.sky, self.faults, self.asking = plant, sky, faults, asking
        self.expected = expected if plant.placed else None
        self.running = Running(plant, sky, faults)
        self.about = {"account": plant.account, "plant_code": plant.code}
        self.sums = {each.id: GROUND for each in plant.inverters}
        self.frozen = {}  # by device: its values as they stood when they froze
        self.last = {}  # by device: the time of its last reading
        self.latest = {}  # by series of a device, its last value

    def day(self, number, silent):
        """The rows of a day."""
        outputs, meter = self.running.day(number)
        today, first = self.sky.day(number), number * STEPS
        awake = [
            not self.plant.sleeps or any(each.state[step] != ASLEEP for each in outputs.values())
            for step in range(STEPS)
        ]
        shown = self.shown(first, silent)
        yield from self.itself(today, awake, shown, outputs)
        volts, hertz = events.grid(self.sky, self.plant, number)
        raised = [
            each * (1 + 0.02 * power / self.plant.capacity)
            for each, power in zip(volts, meter, strict=True)
        ]
        answered = [now if lit else None for now, lit in zip(shown, awake, strict=True)]
        told = {}
        for inverter in self.plant.inverters:
            rows = self.inverter(inverter, outputs[inverter.id], raised, hertz, today)
            rows = list(self.device(inverter.id, "string_inverter", rows, answered, first))
            told[inverter.id] = {
                (name, labels.get("string", "")): values for name, labels, values in rows
            }
            yield from rows
            if inverter.battery:
                rows = self.battery(inverter)
                yield from self.device("battery", "battery", rows, answered, first)
        if self.plant.meter:
            kind = "grid_meter" if self.plant.kind in COMMERCIAL else "power_sensor"
            rows = self.meter(kind, meter, raised, hertz)
            yield from self.device("meter", kind, rows, answered, first)
        if self.plant.station:
            rows = self.station(today)
            yield from self.device("station", "emi", rows, answered, first)
        if self.expected:
            yield from self.expected.rows(number, told)

    def shown(self, first, silent):
        """By step the step of the day whose readings are shown, or None."""
        shown = list(range(STEPS))
        for start, end in events.delays(self.sky, self.plant, first // STEPS):
            for step in range(start - first, min(STEPS, end - first)):
                shown[step] = max(0, start - first - 1)
        for start, end in silent:
            for step in range(max(0, start - first), min(STEPS, end - first)):
                late = step + first - start < events.ON_PAGE
                shown[step] = max(0, start - first - 1) if late else None
        return shown

    def itself(self, today, awake, shown, outputs):
        """The plant's own rows."""
        name = {"plant_name": self.plant.code}
        states = [HEALTHY if lit else DISCONNECTED for lit in awake]
        made = [sum(each) for each in zip(*(o.ac for o in outputs.values()), strict=True)]
        energy = list(accumulate(joules(max(0.0, watts) for watts in made)))
        yield "fusionsolar_plant_info", self.about | name, [1] * STEPS
        yield "fusionsolar_plant_capacity_watts", self.about, [self.plant.capacity] * STEPS
        if self.plant.placed:
            yield "fusionsolar_plant_sun_elevation_degrees", self.about, today.elevation
        yield "fusionsolar_plant_health_state_code", self.about, picked(states, shown)
        yield "fusionsolar_plant_day_energy_joules", self.about, picked(energy, shown)
        told = [None if now is None else step for step, now in enumerate(shown)]
        yield self.reading("plant", self.about, told, today.number * STEPS)

    def device(self, device, kind, rows, shown, first):
        """A device's rows: as they are, or as its faults have them."""
        about = self.about | {"device_id": f"{self.plant.code}/{device}"}
        name = {"device_name": device, "device_type": kind}
        yield "fusionsolar_device_info", about | name, [1] * STEPS
        faults = [
            fault for fault in self.faults if fault.device == device and fault.on(first // STEPS)
        ]
        silent = [fault for fault in faults if fault.kind.mode == "silent"]
        stuck = [fault for fault in faults if fault.kind.mode in ("frozen", "offline")]
        if silent:
            shown = [
                None if any(fault.at(first + step) for fault in silent) else now
                for step, now in enumerate(shown)
            ]
        shown = self.asking.shown(shown, about["device_id"], first // STEPS)
        yield self.reading(device, about, shown, first)
        for name, extra, values in rows:
            told = self.asking.told(name, values, device, first, *extra.values())
            for fault in faults:
                told = changed(fault, name, told, first)
            for fault in stuck:
                told = self.stuck(fault, (device, name, *extra.values()), told, first)
            self.latest[device, name, *extra.values()] = told[-1]
            yield name, about | extra, picked(told, shown)

    def stuck(self, fault, series, values, first):
        """The values from a fault on as they were when it began; its connection may be lost."""
        begins = max(0, fault.start - first)
        before = values[begins - 1] if begins else self.latest.get(series, values[0])
        held = self.frozen.setdefault((fault.start, *series), before)
        if series[1] == "fusionsolar_inverter_run_state_code" and fault.kind.mode == "offline":
            held = 0
        return [held if fault.at(first + step) else value for step, value in enumerate(values)]

    def reading(self, device, about, shown, first):
        """When a device's last values were read."""
        told = self.last.get(device, EPOCH + first * STEP)
        times = []
        for now in shown:
            told = told if now is None else EPOCH + (first + now) * STEP
            times.append(told)
        self.last[device] = told
        kind = "plant" if device == "plant" else "device"
        return f"fusionsolar_{kind}_last_reading_timestamp_seconds", about, times

    def inverter(self, inverter, output, volts, hertz, today):
        up = [state != ASLEEP for state in output.state]
        energy = list(accumulate(joules(map(positive, output.ac)), initial=self.sums[inverter.id]))
        self.sums[inverter.id] = energy[-1]
        warm = [
            air + 8 + 27 * abs(ac) / inverter.rated
            for air, ac in zip(today.ambient, output.ac, strict=True)
        ]
        name = "fusionsolar_inverter_"
        yield f"{name}active_power_watts", {}, output.ac
        yield f"{name}dc_power_watts", {}, output.dc
        yield f"{name}state_code", {}, output.state
        yield f"{name}run_state_code", {}, [1] * STEPS
        yield f"{name}energy_joules_total", {}, energy[1:]
        yield f"{name}temperature_celsius", {}, warm
        if inverter is self.plant.inverters[0]:
            yield f"{name}phase_voltage_volts", {"phase": "a"}, masked(volts, up)
            yield f"{name}frequency_hertz", {}, masked(hertz, up)
        for string in inverter.strings:
            label, made = {"string": string.number}, output.strings[string.number]
            tension = list(
                map(self.tension(string), output.lit[string.number], made, today.ambient)
            )
            currents = [w / v if v else 0.0 for w, v in zip(made, tension, strict=True)]
            yield f"{name}string_voltage_volts", label, tension
            yield f"{name}string_current_amperes", label, currents

    @staticmethod
    def tension(string):
        """V of a string by whether it is lit, its W and the air's °C: more without a current."""
        usual = 14 * string.watts**0.43
        return lambda lit, watts, air: (
            usual * (1 - 0.0028 * (air - 5)) * (1 if watts > 0 else 1.2) if lit else 0.0
        )

    def battery(self, inverter):
        powers, charges = self.running.storages[inverter.id].told()
        name = "fusionsolar_battery_"
        yield f"{name}power_watts", {}, powers
        yield f"{name}state_of_charge_ratio", {}, charges
        yield f"{name}state_of_health_ratio", {}, [0.94] * STEPS
        yield f"{name}status_code", {}, [2 if abs(power) > 10 else 1 for power in powers]
        yield f"{name}mode_code", {}, [SELF_CONSUMPTION] * STEPS

    def station(self, today):
        name = "fusionsolar_weather_"
        yield f"{name}irradiance_watts_per_square_meter", {}, light(self.plant.station, today)
        yield f"{name}ambient_temperature_celsius", {}, today.ambient

    @staticmethod
    def meter(kind, powers, volts, hertz):
        name = "fusionsolar_meter_"
        yield f"{name}active_power_watts", {}, powers
        yield f"{name}run_state_code", {}, [1] * STEPS
        yield f"{name}frequency_hertz", {}, hertz
        if kind == "power_sensor":
            yield f"{name}status_code", {}, [1] * STEPS
            yield f"{name}voltage_volts", {}, volts
        else:
            yield f"{name}phase_voltage_volts", {"phase": "a"}, volts


def picked(values, shown):
    """The values of the steps that are shown."""
    return [None if now is None else values[now] for now in shown]


def masked(values, up):
    return [value if awake else 0.0 for value, awake in zip(values, up, strict=True)]


def positive(watts):
    return max(0.0, watts)


def changed(fault, name, values, first):
    """Readings that a fault sets or multiplies."""
    fixed, factor = fault.kind.sets.get(name), fault.kind.factor.get(name)
    if fixed is None and factor is None:
        return values
    return [
        (value * factor if fixed is None else fixed) if fault.at(first + step) else value
        for step, value in enumerate(values)
    ]
