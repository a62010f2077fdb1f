"""The year in its shortened form: some days of each climate, with and without expected powers."""

from dataclasses import replace

from year.world import Scene, Window


def days(first, last):
    return Window(first - 15, first, last)


TEXAS = Scene("texas", days(172, 179), kinds=("limited", "clipped", "field"), inverters=8)
DESERT = Scene("desert", days(200, 210), kinds=("home", "placeless"), turn=2)
SEASONS = {
    "snow in Bavaria": Scene("bavaria", days(20, 30), kinds=("cottage", "eastwest", "farm")),
    "melt in the far north": Scene("arctic", days(112, 122), kinds=("home", "cottage"), turn=3),
    "storms in Singapore": Scene("singapore", days(150, 160), kinds=("eastwest", "wall"), turn=1),
    "summer in Texas": TEXAS,
    "winter in the desert": DESERT,
    "winter in the desert, nothing expected": replace(DESERT, expecting=False),
}
