"""The series that the exporter exposes of a plant, day by day.

A row is a metric's name, its labels and a value for each step of the day, None for no sample.
Readings stand still while an upload is late, and disappear some steps after an outage began.
"""

from itertools import accumulate

from year import events
from year.plant_model import ASLEEP, PlantModel, energies
from year.polling import POLLING
from year.surfaces import irradiance
from year.timeline import EPOCH, STEP_SECONDS, STEPS_PER_DAY

HEALTHY, DISCONNECTED = 3, 1  # health state codes of a plant
SELF_CONSUMPTION = 4  # mode code of a battery
INITIAL_ENERGY = 3.6e9  # J on an inverter's counter
COMMERCIAL = ("field", "clipped", "park")  # kinds of plant with a grid meter
EXPOSED_STEPS = 5  # of an outage in which the last values are still exposed: five paces


class PlantSeries:
    """A plant's series.

    `expected` is what the exporter has learned to expect of the plant, if it does; `polling` is how
    its devices are polled.
    """

    def __init__(self, plant, weather, faults=(), expected=None, polling=POLLING["exact"]):
        self.plant, self.weather, self.faults, self.polling = plant, weather, faults, polling
        self.expected = expected if plant.location_known else None
        self.model = PlantModel(plant, weather, faults)
        self.labels = {"account": plant.account, "plant_code": plant.code}
        self.energy_totals = {each.id: INITIAL_ENERGY for each in plant.inverters}  # J
        self.frozen_values = {}  # by start of a fault and series of a device
        self.last_reading_times = {}  # by device
        self.last_values = {}  # by series of a device

    def rows(self, day, outages):
        """The rows of a day, with the outages of the account that concern it."""
        outputs, meter_powers = self.model.day(day)
        today = self.weather.day(day)
        awake = self.awake(outputs)
        sources = self.sources(day, outages)
        yield from self.plant_rows(today, awake, sources, outputs)
        sources = [source if up else None for source, up in zip(sources, awake, strict=True)]
        volts, hertz = self.grid(day, meter_powers)
        inverter_rows = {}
        for inverter in self.plant.inverters:
            rows = self.inverter_rows(inverter, outputs[inverter.id], volts, hertz, today)
            rows = list(self.device_rows(inverter.id, "string_inverter", rows, sources, day))
            inverter_rows[inverter.id] = {
                (name, labels.get("string", "")): values for name, labels, values in rows
            }
            yield from rows
            if inverter.battery:
                rows = self.battery_rows(inverter)
                yield from self.device_rows("battery", "battery", rows, sources, day)
        if self.plant.meter:
            device_type = "grid_meter" if self.plant.kind in COMMERCIAL else "power_sensor"
            rows = meter_rows(device_type, meter_powers, volts, hertz)
            yield from self.device_rows("meter", device_type, rows, sources, day)
        if self.plant.weather_station:
            rows = self.weather_station_rows(today)
            yield from self.device_rows("station", "emi", rows, sources, day)
        if self.expected:
            yield from self.expected.rows(day, inverter_rows)

    def awake(self, outputs):
        """Whether the plant's logger is powered, at each step of a day."""
        if not self.plant.sleeps_at_night:
            return [True] * STEPS_PER_DAY
        states = zip(*(output.state_codes for output in outputs.values()), strict=True)
        return [any(state != ASLEEP for state in each) for each in states]

    def sources(self, day, outages):
        """By step the step of the day whose readings are exposed, or None."""
        first, sources = day * STEPS_PER_DAY, list(range(STEPS_PER_DAY))
        for start, end in events.upload_delays(self.weather, self.plant, day):
            for step in range(start - first, min(STEPS_PER_DAY, end - first)):
                sources[step] = max(0, start - first - 1)
        for start, end in outages:
            for step in range(max(0, start - first), min(STEPS_PER_DAY, end - first)):
                exposed = step + first - start < EXPOSED_STEPS
                sources[step] = max(0, start - first - 1) if exposed else None
        return sources

    def grid(self, day, meter_powers):
        """V, raised by what the plant feeds in, and Hz, at each step of a day."""
        volts, hertz = events.grid(self.weather, self.plant, day)
        raised = [
            each * (1 + 0.02 * power / self.plant.capacity)
            for each, power in zip(volts, meter_powers, strict=True)
        ]
        return raised, hertz

    def plant_rows(self, today, awake, sources, outputs):
        """The rows of the plant itself."""
        states = [HEALTHY if up else DISCONNECTED for up in awake]
        powers = zip(*(output.ac_power for output in outputs.values()), strict=True)
        energy = list(accumulate(energies(positive(sum(power)) for power in powers)))
        info = self.labels | {"plant_name": self.plant.code}
        yield "fusionsolar_plant_info", info, [1] * STEPS_PER_DAY
        capacity = [self.plant.capacity] * STEPS_PER_DAY
        yield "fusionsolar_plant_capacity_watts", self.labels, capacity
        if self.plant.location_known:
            yield "fusionsolar_plant_sun_elevation_degrees", self.labels, today.elevation
        yield "fusionsolar_plant_health_state_code", self.labels, values_at(sources, states)
        yield "fusionsolar_plant_day_energy_joules", self.labels, values_at(sources, energy)
        # The plant's own answers are current even if what was uploaded is late.
        answered = [None if source is None else step for step, source in enumerate(sources)]
        name = "fusionsolar_plant_last_reading_timestamp_seconds"
        yield name, self.labels, self.reading_times("plant", answered, today.number)

    def device_rows(self, device, device_type, rows, sources, day):
        """A device's rows as they are polled and as its faults change them."""
        first = day * STEPS_PER_DAY
        labels = self.labels | {"device_id": f"{self.plant.code}/{device}"}
        info = labels | {"device_name": device, "device_type": device_type}
        yield "fusionsolar_device_info", info, [1] * STEPS_PER_DAY
        faults = [fault for fault in self.faults if fault.device == device and fault.active_on(day)]
        for fault in faults:
            if fault.kind.mode == "silent":
                sources = [
                    None if fault.active_at(step) else source
                    for step, source in enumerate(sources, start=first)
                ]
        sources = self.polling.polled(sources, labels["device_id"], day)
        times = self.reading_times(device, sources, day)
        yield "fusionsolar_device_last_reading_timestamp_seconds", labels, times
        for name, own_labels, values in rows:
            series = device, name, *own_labels.values()
            measured = self.polling.measured(name, values, device, first, *own_labels.values())
            readings = self.with_faults(faults, series, measured, first)
            self.last_values[series] = readings[-1]
            yield name, labels | own_labels, values_at(sources, readings)

    def with_faults(self, faults, series, values, first):
        """The values of a device's series with what faults set, multiply and freeze."""
        for fault in faults:
            values = overridden(fault, series[1], values, first)
        for fault in faults:
            if fault.kind.mode in ("frozen", "offline"):
                values = self.frozen(fault, series, values, first)
        return values

    def frozen(self, fault, series, values, first):
        """Values that stand still from a fault on; its connection may be lost."""
        start = max(0, fault.start - first)
        before = values[start - 1] if start else self.last_values.get(series, values[0])
        frozen = self.frozen_values.setdefault((fault.start, *series), before)
        if series[1] == "fusionsolar_inverter_run_state_code" and fault.kind.mode == "offline":
            frozen = 0
        return [
            frozen if fault.active_at(step) else value
            for step, value in enumerate(values, start=first)
        ]

    def reading_times(self, device, sources, day):
        """The Unix time of a device's last reading at each step of a day."""
        first = EPOCH + day * STEPS_PER_DAY * STEP_SECONDS
        time, times = self.last_reading_times.get(device, first), []
        for source in sources:
            time = time if source is None else first + source * STEP_SECONDS
            times.append(time)
        self.last_reading_times[device] = time
        return times

    def inverter_rows(self, inverter, output, volts, hertz, today):
        """The rows of an inverter and its strings, without faults and polling."""
        awake = [state != ASLEEP for state in output.state_codes]
        produced = energies(map(positive, output.ac_power))
        energy = list(accumulate(produced, initial=self.energy_totals[inverter.id]))
        self.energy_totals[inverter.id] = energy[-1]
        temperatures = [
            ambient + 8 + 27 * abs(power) / inverter.rated
            for ambient, power in zip(today.ambient_temperature, output.ac_power, strict=True)
        ]
        name = "fusionsolar_inverter_"
        yield f"{name}active_power_watts", {}, output.ac_power
        yield f"{name}dc_power_watts", {}, output.dc_power
        yield f"{name}state_code", {}, output.state_codes
        yield f"{name}run_state_code", {}, [1] * STEPS_PER_DAY
        yield f"{name}energy_joules_total", {}, energy[1:]
        yield f"{name}temperature_celsius", {}, temperatures
        if inverter is self.plant.inverters[0]:
            yield f"{name}phase_voltage_volts", {"phase": "a"}, zero_asleep(volts, awake)
            yield f"{name}frequency_hertz", {}, zero_asleep(hertz, awake)
        for string in inverter.strings:
            yield from string_rows(string, output, today)

    def battery_rows(self, inverter):
        """The rows of an inverter's battery."""
        powers, charges = self.model.batteries[inverter.id].take_day()
        name = "fusionsolar_battery_"
        yield f"{name}power_watts", {}, powers
        yield f"{name}state_of_charge_ratio", {}, charges
        yield f"{name}state_of_health_ratio", {}, [0.94] * STEPS_PER_DAY
        yield f"{name}status_code", {}, [2 if abs(power) > 10 else 1 for power in powers]
        yield f"{name}mode_code", {}, [SELF_CONSUMPTION] * STEPS_PER_DAY

    def weather_station_rows(self, today):
        """The rows of the plant's weather station."""
        name, light = "fusionsolar_weather_", irradiance(self.plant.weather_station, today)
        yield f"{name}irradiance_watts_per_square_meter", {}, light
        yield f"{name}ambient_temperature_celsius", {}, today.ambient_temperature


def meter_rows(device_type, powers, volts, hertz):
    """The rows of a meter."""
    name = "fusionsolar_meter_"
    yield f"{name}active_power_watts", {}, powers
    yield f"{name}run_state_code", {}, [1] * STEPS_PER_DAY
    yield f"{name}frequency_hertz", {}, hertz
    if device_type == "power_sensor":
        yield f"{name}status_code", {}, [1] * STEPS_PER_DAY
        yield f"{name}voltage_volts", {}, volts
    else:
        yield f"{name}phase_voltage_volts", {"phase": "a"}, volts


def string_rows(string, output, today):
    """The rows of an inverter's string."""
    name, labels = "fusionsolar_inverter_string_", {"string": string.number}
    powers = output.string_powers[string.number]
    volts = [
        string_voltage(string, watts, ambient) if has_voltage else 0.0
        for has_voltage, watts, ambient in zip(
            output.string_has_voltage[string.number],
            powers,
            today.ambient_temperature,
            strict=True,
        )
    ]
    yield f"{name}voltage_volts", labels, volts
    amperes = [w / v if v else 0.0 for w, v in zip(powers, volts, strict=True)]
    yield f"{name}current_amperes", labels, amperes


def string_voltage(string, watts, ambient):
    """V of a string that has light, at °C of ambient temperature; higher in open circuit."""
    nominal = 14 * string.watts**0.43
    return nominal * (1 - 0.0028 * (ambient - 5)) * (1 if watts > 0 else 1.2)


def values_at(sources, values):
    """By step the value of the step that is exposed, or None."""
    return [None if source is None else values[source] for source in sources]


def zero_asleep(values, awake):
    return [value if up else 0.0 for value, up in zip(values, awake, strict=True)]


def positive(watts):
    return max(0.0, watts)


def overridden(fault, metric, values, first):
    """Values that a fault sets or multiplies."""
    value, factor = fault.kind.overrides.get(metric), fault.kind.factors.get(metric)
    if value is None and factor is None:
        return values
    return [
        (each * factor if value is None else value) if fault.active_at(step) else each
        for step, each in enumerate(values, start=first)
    ]
