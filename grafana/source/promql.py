"""PromQL as the dashboards write it: selections, and joins with the names of things.

Values of one plant or device carry only what identifies it. Its names stand on the info metrics,
and are joined on for people.

A plant is known by its `plant_code` and a device by its `device_id`, whichever accounts and
exporters report it: each counts once.
"""

from dataclasses import dataclass

_EVERYWHERE = ('job=~"$job"', 'instance=~"$instance"', 'account=~"$account"')

JOULES = 3_600_000  # in a kWh


def of_account(metric: str, *matchers: str) -> str:
    """The series of `inverter_state_code`, of every exporter and account that was chosen."""
    return f"fusionsolar_{metric}{{{', '.join((*_EVERYWHERE, *matchers))}}}"


def merged(expression: str) -> str:
    """One series of what several exporters or accounts report."""
    return f"max without (account, job, instance) ({expression})"


@dataclass(frozen=True)
class Select:
    """What is reported about the plants or devices that were chosen, by these matchers."""

    chosen: tuple[str, ...]

    def __call__(self, metric: str, *matchers: str) -> str:
        """A metric, once for each plant or device."""
        return merged(self.series(metric, *matchers))

    def series(self, metric: str, *matchers: str) -> str:
        """Its series as they were scraped, which a range asks for; `once` then merges them."""
        return of_account(metric, *self.chosen, *matchers)


of_plants = Select(('plant_code=~"$plant"',))
of_plant = Select(('plant_code="$plant"',))
of_device = Select(('plant_code="$plant"', 'device_id="$device"'))


def increase_of(of: Select, counter: str, time: str) -> str:
    """What a counter gained in a time, in which one exporter may have followed another."""
    parts = f"sum without (job, instance) (increase({of.series(counter)}[{time}]))"
    return f"max without (account) ({parts})"


def per_plant(expression: str) -> str:
    """The sum of each plant."""
    return f"sum by (plant_code) ({expression})"


def plant_names() -> str:
    """A series each plant, with its code and its name, which no other plant bears.

    Where several are named alike, their codes follow their names.
    """
    names = _names("plant_code", "plant_name", of_account("plant_info"))
    alike = f"count by (plant_name) ({names}) > 1"
    parts = '"plant_name", ", ", "plant_name", "plant_code"'
    return (
        f"(label_join({names} and on (plant_name) ({alike}), {parts}) or on (plant_code) {names})"
    )


def _names(key: str, name: str, info: str) -> str:
    """One name for each key, so that accounts which disagree, as after a rename, are no error."""
    return f"topk by ({key}) (1, group by ({key}, {name}) ({info}))"


def with_plant(expression: str) -> str:
    """The expression with the label `plant_name`."""
    return f"({expression}) * on (plant_code) group_left (plant_name) {plant_names()}"


def with_device(expression: str) -> str:
    """The expression with the label `device_name`."""
    names = _names("device_id", "device_name", of_account("device_info"))
    return f"({expression}) * on (device_id) group_left (device_name) {names}"


def with_names(expression: str) -> str:
    """The expression with the labels `plant_name` and `device_name`."""
    return with_plant(with_device(expression))


def with_account(expression: str) -> str:
    """The expression with the label `account`: one that reports the plant."""
    accounts = _names("plant_code", "account", of_account("plant_info"))
    return f"({expression}) * on (plant_code) group_left (account) {accounts}"


def with_currency(expression: str, of: Select) -> str:
    """A sum with the label `currency`: that of an account which reports the plants.

    It is that of the last step or of the week that it has begun: nothing was said of it in the
    years before the exporter came.
    """
    lately = "[8d] @ end() offset -7d"
    currencies = (
        f"last_over_time({of_account('account_info')}{lately}) "
        f"and on (account) last_over_time({of.series('plant_info')}{lately})"
    )
    return (
        f"({expression}) * on () group_left (currency) topk(1, group by (currency) ({currencies}))"
    )


def in_use(of: Select, strings: str) -> str:
    """The currents of string inputs that something is wired to; the others say 0 for ever.

    Those carried half an ampere within two weeks or, where voltages are reported, had one. Numbers
    have two digits, as they are sorted as texts.
    """
    current = f"{strings}_current_amperes"
    currents, voltages = of.series(current), of.series("inverter_string_voltage_volts")
    used = (
        f"{of(current)} and on (device_id, string) ("
        f"max_over_time({currents}[$__range] @ end()) > 0.5 "
        f"or max_over_time({currents}[14d:15m] @ end()) > 0.5 "
        f"or max_over_time({voltages}[$__range] @ end()) > 50)"
    )
    return f'label_replace({used}, "string", "0$1", "string", "(.)")'


def of_phases(values: str, of: Select, voltage: str) -> str:
    """Values of the phases that there are: of those that there are not, 0 is reported for ever."""
    voltages = f"max_over_time({of.series(voltage)}[$__range])"
    return f"({values} unless on (device_id, phase) {voltages} == 0)"


def kilowatt_hours(expression: str) -> str:
    """Joules as people count them."""
    return f"{expression} / {JOULES}"


def age(expression: str) -> str:
    """The seconds since a timestamp."""
    return f"time() - {expression}"
