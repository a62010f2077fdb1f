"""A battery that charges from surplus power and discharges to meet demand, within its limits."""

from year.timeline import STEP_SECONDS

MIN_CHARGE, MAX_CHARGE = 0.05, 0.99


class BatteryModel:
    """The state of charge of a battery, 0 to 1, and what it did at each step of the day so far."""

    def __init__(self, battery):
        self.battery = battery
        self.charge = 0.5
        self.powers, self.charges = [], []

    def step(self, surplus, ambient_temperature, fault_modes):
        """Charges (above 0) or discharges for a step; gives the power in W.

        The surplus is in W, below 0 where power is needed; the temperature in °C.
        """
        battery = self.battery
        if surplus > 0:
            room = max(0.0, MAX_CHARGE - self.charge) * battery.joules / STEP_SECONDS
            taper = battery.watts * min(1.0, 10 * (1.02 - self.charge))
            blocked = ambient_temperature < 0 or fault_modes & {"no charge", "no use"}
            power = 0.0 if blocked else min(surplus, room, taper)
        else:
            stored = max(0.0, self.charge - MIN_CHARGE) * battery.joules / STEP_SECONDS
            blocked = fault_modes & {"no discharge", "no use"}
            power = 0.0 if blocked else -min(-surplus, stored, battery.watts)
        self.charge += power * STEP_SECONDS / battery.joules
        self.powers.append(power)
        self.charges.append(self.charge)
        return power

    def take_day(self):
        """The day's powers in W and states of charge, which begin anew."""
        taken = self.powers, self.charges
        self.powers, self.charges = [], []
        return taken
