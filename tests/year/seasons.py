"""The year in short: some days of each climate, with and without expected powers."""

from dataclasses import replace

from year.simulation import Scenario, Window


def days(first, last):
    """Days to assess, before which the rules learn for fifteen."""
    return Window(first - 15, first, last)


DESERT = Scenario("desert", days(200, 210), plant_kinds=("home", "placeless"), fault_rotation=2)
SEASONS = {
    "snow in Bavaria": Scenario(
        "bavaria", days(20, 30), plant_kinds=("cottage", "eastwest", "farm")
    ),
    "melt in the far north": Scenario(
        "arctic", days(112, 122), plant_kinds=("home", "cottage"), fault_rotation=3
    ),
    "storms in Singapore": Scenario(
        "singapore", days(150, 160), plant_kinds=("eastwest", "wall"), fault_rotation=1
    ),
    "summer in Texas": Scenario(
        "texas", days(172, 179), plant_kinds=("limited", "clipped", "field"), field_inverters=8
    ),
    "winter in the desert": DESERT,
    "winter in the desert, nothing expected": replace(DESERT, with_expected_power=False),
}
