"""PromQL as the dashboards write it: selectors, and joins with the names of things.

Values of one plant or device carry only what identifies it. Its names stand on the info metrics,
and are joined on for people.
"""

from collections.abc import Callable

_EVERYWHERE = ('job=~"$job"', 'instance=~"$instance"', 'account=~"$account"')
_NAME = {"plant_code": "plant_name", "device_id": "device_name"}

JOULES = 3_600_000  # in a kWh

Select = Callable[..., str]


def selector(*chosen: str) -> Select:
    """A function that makes of `inverter_state_code` and matchers its series, as far as chosen."""

    def select(metric: str, *matchers: str) -> str:
        return f"fusionsolar_{metric}{{{', '.join((*_EVERYWHERE, *chosen, *matchers))}}}"

    return select


of_account = selector()
of_plants = selector('plant_code=~"$plant"')
of_plant = selector('plant_code="$plant"')
of_device = selector('plant_code="$plant"', 'device_id="$device"')


def per_plant(expression: str) -> str:
    """The sum of each plant."""
    return f"sum by (account, plant_code) ({expression})"


def merged(expression: str) -> str:
    """One series of what several exporters told, one after the other."""
    return f"max without (job, instance) ({expression})"


def with_plant(expression: str) -> str:
    """The expression with the label `plant_name`."""
    return _with_plant(merged(expression))


def with_device(expression: str) -> str:
    """The expression with the label `device_name`."""
    return _joined(merged(expression), "device_id", of_account("device_info"))


def with_names(expression: str) -> str:
    """The expression with the labels `plant_name` and `device_name`."""
    return _with_plant(with_device(expression))


def _with_plant(expression: str) -> str:
    return _joined(expression, "plant_code", of_account("plant_info"))


def _joined(expression: str, key: str, info: str) -> str:
    """Grouped, so that two exporters of one account, or a rename, are no error."""
    name = _NAME[key]
    return (
        f"{expression} * on (account, {key}) group_left ({name}) "
        f"group by (account, {key}, {name}) ({info})"
    )


def in_use(of: Select, strings: str) -> str:
    """The currents of string inputs that something is wired to; the others say 0 for ever.

    Those carried half an ampere within two weeks or, where voltages are told, had one. Numbers have
    two digits, as they are sorted as texts.
    """
    currents, voltages = of(f"{strings}_current_amperes"), of("inverter_string_voltage_volts")
    used = (
        f"{currents} and on (account, device_id, string) ("
        f"max_over_time({currents}[$__range] @ end()) > 0.5 "
        f"or max_over_time({currents}[14d:15m] @ end()) > 0.5 "
        f"or max_over_time({voltages}[$__range] @ end()) > 50)"
    )
    return f'label_replace({used}, "string", "0$1", "string", "(.)")'


def of_phases(values: str, voltages: str) -> str:
    """Values of the phases that there are: of those that there are not, 0 is told for ever."""
    return (
        f"({values} unless on (account, device_id, phase) max_over_time({voltages}[$__range]) == 0)"
    )


def kilowatt_hours(expression: str) -> str:
    """Joules as people count them."""
    return f"{expression} / {JOULES}"


def age(expression: str) -> str:
    """The seconds since a timestamp."""
    return f"time() - {expression}"
