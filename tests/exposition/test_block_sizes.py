"""An answer renders what it is about, however large the fleet, before a restart and after it."""

import pytest
from exposition.world import DEVICES, World

from exporter.exposition.page import Page
from exporter.northbound.records import Device, Plant


class CountingPage(Page):
    """A page that counts the lines that are rendered for it."""

    lines = 0

    def update(self, blocks, **about):
        self.lines += sum(
            chunk.count(b"\n")
            for block in blocks.values()
            if block
            for chunk in block.chunks.values()
        )
        super().update(blocks, **about)


def counting(devices):
    """A world with so many devices, whose page counts."""
    names = [str(n) for n in range(devices)]
    fleet = (Plant("P", "P"), *(Device(name, "P", 1) for name in names))
    page = CountingPage({}, lambda: 0.0)
    return World(fleet=fleet, page=page), page, names


def answer(world, names, power=1.0):
    world.answer(DEVICES, names, {name: {"active_power": power} for name in names})


def rendered(page, world, names):
    before = page.lines
    answer(world, names, 2.0)
    return page.lines - before


def restarted(world):
    page = CountingPage({}, lambda: 0.0)
    return world.restart(page=page), page


@pytest.mark.parametrize("restart", [False, True])
def test_whoever_leaves_a_block_leaves_few_behind(restart):
    world, page, names = counting(200)
    answer(world, names)
    if restart:
        world, page = restarted(world)
    # Its power and the time of its reading, and those of the others who stood beside it.
    assert rendered(page, world, names[:1]) == 2 * 100


def test_after_a_restart_an_answer_replaces_its_predecessor_and_nothing_else():
    world, _, names = counting(60)
    for some in (names[::2], names[1::2]):
        world.elapse(60)
        answer(world, some)
    world, page = restarted(world)
    assert rendered(page, world, names[::2]) == 2 * 30


class LastPower(Page):
    """A page that keeps the lines of the power that were set last."""

    chunk = b""

    def update(self, blocks, **about):
        for block in filter(None, blocks.values()):
            for metric, chunk in block.chunks.items():
                if metric.name == "fusionsolar_inverter_active_power_watts":
                    self.chunk = chunk
        super().update(blocks, **about)


def test_values_that_did_not_change_keep_their_bytes():
    names, page = ["1", "2"], LastPower({}, lambda: 0.0)
    world = World(fleet=(Plant("P", "P"), *(Device(name, "P", 1) for name in names)), page=page)
    answer(world, names)
    before = page.chunk
    answer(world, names)
    assert page.chunk is before
    answer(world, names, 3.0)
    assert page.chunk == before.replace(b" 1000.0", b" 3000.0")
    answer(world, names)
    assert page.chunk == before
    world.fleet(Plant("Q", "Q"), *(Device(name, "Q", 1) for name in names))
    answer(world, names)
    assert page.chunk == before.replace(b'plant_code="P"', b'plant_code="Q"')
