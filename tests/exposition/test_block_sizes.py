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


def lines_rendered_by(page, world, names):
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
    assert lines_rendered_by(page, world, names[:1]) == 2 * 100


def test_after_a_restart_an_answer_replaces_its_predecessor_and_nothing_else():
    world, _, names = counting(60)
    for some in (names[::2], names[1::2]):
        world.elapse(60)
        answer(world, some)
    world, page = restarted(world)
    assert lines_rendered_by(page, world, names[::2]) == 2 * 30


class LastLines(Page):
    """A page that keeps, by metric, the lines that were set last."""

    def __init__(self):
        super().__init__({}, lambda: 0.0)
        self.lines = {}

    def update(self, blocks, **about):
        for block in filter(None, blocks.values()):
            for metric, chunk in block.chunks.items():
                self.lines[metric.name.removeprefix("fusionsolar_inverter_")] = chunk
        super().update(blocks, **about)


POWER, STATE, CODE = "active_power_watts", "state", "state_code"


def two_inverters():
    """Their world, their page, and their answer: power and state of both."""
    page = LastLines()
    world = World(fleet=(Plant("P", "P"), *(Device(name, "P", 1) for name in "12")), page=page)

    def answer(power, *states):
        values = {
            name: {"active_power": power, "inverter_state": state}
            for name, state in zip("12", states, strict=True)
        }
        world.answer(DEVICES, list("12"), values)
        return [page.lines[name] for name in (POWER, STATE, CODE)]

    return world, answer


def test_values_that_did_not_change_keep_their_lines():
    _, answer = two_inverters()
    before = answer(1.0, 512, 512)
    assert [now is then for now, then in zip(answer(1.0, 512, 512), before, strict=True)] == [
        True, True, True,
    ]  # fmt: skip
    power, state, code = answer(3.0, 512, 512)
    assert power == before[0].replace(b" 1000.0", b" 3000.0")
    assert (state is before[1], code) == (True, before[2])
    power, state, code = answer(3.0, 512, 768)
    assert (state != before[1], state.count(b"} 1.0"), state.count(b"\n")) == (True, 2, 2 * 27)
    assert answer(1.0, 512, 512) == before


def test_whoever_moves_has_new_lines_though_nothing_else_changed():
    world, answer = two_inverters()
    before = answer(1.0, 512, 512)
    world.fleet(Plant("Q", "Q"), *(Device(name, "Q", 1) for name in "12"))
    assert answer(1.0, 512, 512) == [
        lines.replace(b'plant_code="P"', b'plant_code="Q"') for lines in before
    ]


def test_another_device_has_other_lines_though_it_says_the_same():
    world, answer = two_inverters()
    before = answer(1.0, 512, 512)
    world.fleet(Plant("P", "P"), Device("1", "P", 1), Device("3", "P", 1))
    values = {"active_power": 1.0, "inverter_state": 512}
    world.answer(DEVICES, ["1", "3"], dict.fromkeys("13", values))
    lines = world.page.lines
    assert [lines[name] for name in (POWER, STATE, CODE)] == [
        each.replace(b'device_id="2"', b'device_id="3"') for each in before
    ]
