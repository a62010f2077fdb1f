"""A battery: it takes what is left over and gives what is needed, within its limits."""

from year.sky import STEP

EMPTY, FULL = 0.05, 0.99


class Storage:
    """The charge of a battery, and what it did at each step of the day so far."""

    def __init__(self, battery):
        self.battery = battery
        self.charge = 0.5
        self.powers, self.charges = [], []

    def step(self, surplus, ambient, modes):
        """W that it takes (above 0) or gives out of a surplus of W, for a step."""
        battery = self.battery
        if surplus > 0:
            room = max(0.0, FULL - self.charge) * battery.joules / STEP
            taper = battery.watts * min(1.0, 10 * (1.02 - self.charge))
            barred = ambient < 0 or modes & {"no charge", "no use"}
            power = 0.0 if barred else min(surplus, room, taper)
        else:
            left = max(0.0, self.charge - EMPTY) * battery.joules / STEP
            barred = modes & {"no discharge", "no use"}
            power = 0.0 if barred else -min(-surplus, left, battery.watts)
        self.charge += power * STEP / battery.joules
        self.powers.append(power)
        self.charges.append(self.charge)
        return power

    def told(self):
        """The day's powers in W and charges, and a new page."""
        told = self.powers, self.charges
        self.powers, self.charges = [], []
        return told
