"""All figures that the README of this folder shows, side by side in one run.

`python benchmarks` measures everything in a quarter of an hour; arguments name parts of it. Each
prints its table, and writes it into the README in the place of the one before.
"""

import argparse
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import answer
import expected
import fleet
import growth
import machine
import small
import structlog

README = Path(__file__).parent / "README.md"
SIZES = (2_000, 15_000)  # devices of one account
ACCOUNTS = 40
OF_EACH = 1_325  # devices
PER_PLANT = 9
EVERY = 5.0  # seconds from answer to answer
SERIES = tuple(growth.ROUNDS)
STRINGS = 12  # of an inverter
ANSWERS = 40
Rows = Iterator[Sequence[object]]


def fleets(sizes: Sequence[int] = SIZES, accounts: int = ACCOUNTS) -> Rows:
    """One fleet a column, the last one of many accounts, if any; and what was to be reached."""
    made = [fleet.measure(size) for size in sizes]
    names = [f"{each.devices:,} devices" for each in made]
    if accounts:
        made.append(fleet.measure(OF_EACH, PER_PLANT, accounts, EVERY))
        names.append(f"{accounts} accounts, {made[-1].devices:,} devices")
    yield ("", *names, "to reach")
    for what, shown, goal in FLEET_ROWS:
        yield (what, *map(shown, made), goal)
    answers = [answer.measure(size, STRINGS, ANSWERS) for size in sizes]
    whole = [(parts["all"] - parts["made"], loads) for parts, loads, _ in answers]
    yield (
        "an answer about 100 inverters, until on the page and on disk; beside its `json.loads`",
        *(f"{ms:.1f} ms, {ms / loads:.0f}x" for ms, loads in whole),
        *([""] if accounts else ()),
        "10x",
    )


def _format(cost: fleet.Cost, other: float | None = None) -> str:
    ratio = "" if other is None else f", {cost.seconds / other:.1f}x"
    return f"{cost.seconds * 1e3:.0f} ms{ratio}; {cost.busy * 1e3:.0f} ms"


# What is shown of a fleet, and what was to be reached.
FLEET_ROWS: tuple[tuple[str, Callable[[fleet.Figures], str], str], ...] = (
    ("series", lambda each: f"{each.series:,}", ""),
    ("page", lambda each: f"{each.page / 1e6:.0f} MB", ""),
    (
        "of a processor, while an answer comes every 0.5 s (many accounts: 8 a second)",
        lambda each: f"{each.walking:.1%}",
        "4 %",
    ),
    ("restart: listens after", lambda each: f"{each.listens:.1f} s", ""),
    (
        "restart: first whole page after; of a processor",
        lambda each: f"{each.restart.seconds:.1f} s; {each.restart.busy:.1f} s",
        "3 s for 1.2 million series",
    ),
    (
        "resident while values come; at most, with scrapes",
        lambda each: f"{each.resident} MB; {each.peak} MB",
        "90, 350, 700 MB",
    ),
    (
        "plain scrape, beside the same bytes from a file server; of a processor",
        lambda each: _format(each.plain, each.static),
        "250 ms for 163 MB",
    ),
    (
        "scrape with gzip, beside the same; of a processor",
        lambda each: _format(each.packed, each.static_packed),
        "",
    ),
    ("plain scrape of one account; of a processor", lambda each: _format(each.one), ""),
    ("status page; of a processor", lambda each: _format(each.status_page), "50 ms"),
)


def growths() -> Rows:
    """From a thousand to a million series, in milliseconds."""
    yield (
        "series", "an answer", "of devices", "page", "page, gzip", "`generate_latest`",
        "the same, gzip", "ratios", "client_golang",
    )  # fmt: skip
    for series in SERIES:
        each = growth.measure(series)
        yield (
            f"{each.series:,}", f"{each.answer:.1f}", each.asked, _ms(each.page), _ms(each.packed),
            _ms(each.library), _ms(each.library_packed),
            f"{each.library / each.page:.0f}x, {each.library_packed / each.packed:.0f}x",
            "" if each.golang is None else f"{_ms(each.golang)}, {each.golang / each.page:.0f}x",
        )  # fmt: skip


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}" if milliseconds >= 10 else f"{milliseconds:.2f}"  # noqa: PLR2004  # two digits


def small_machine() -> Rows:
    """One processor with a quarter of its time: a home, and the smallest fleet."""
    yield ("", f"a home with {small.HOME} devices", f"{SIZES[0]:,} devices")
    share, resident = small.home()
    there = small.fleet(SIZES[0])
    yield ("of a processor", f"{share:.2%}", f"{there.walking:.1%}")
    yield ("resident", f"{resident} MB", f"{there.resident} MB; {there.peak} MB")
    yield ("restart: first whole page after", "", f"{there.restart.seconds:.1f} s")
    yield ("plain scrape; of the processor", "", _format(there.plain))
    yield ("scrape with gzip; of the processor", "", _format(there.packed))


def learned() -> Rows:
    """An answer, from the model to the page, without and with the expected power of its strings."""
    without, placed = expected.measure()
    yield ("", f"an answer about {expected.BATCH} inverters")
    yield ("from the model to the page", f"{without:.1f} ms")
    yield (f"with the expected power of {expected.STRINGS} strings each", f"{placed:.1f} ms")


PARTS: dict[str, Callable[[], Rows]] = {
    "fleets": fleets,
    "growth": growths,
    "small": small_machine,
    "expected": learned,
}


def main() -> None:
    """Measures, prints, and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}")
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        metavar="DEVICES",
        help="measure fleets of these sizes alone, and write nothing",
    )
    flags = parser.parse_args()
    if unknown := set(flags.parts) - PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(machine.describe(), flush=True)
    if flags.sizes:
        print(f"\n{_table(fleets(flags.sizes, accounts=0))}")
        return
    for name in flags.parts or PARTS:
        table = _table(PARTS[name]())
        print(f"\n{table}", flush=True)
        _write(name, table)
    _write("machine", f"Measured on {machine.describe()}.")


def _table(rows: Rows) -> str:
    head, *others = (f"| {' | '.join(map(str, row))} |" for row in rows)
    columns = head.count("|") - 1
    return "\n".join((head, "| --- |" + " ---: |" * (columns - 1), *others))


def _write(name: str, text: str) -> None:
    """Puts a text between its markers."""
    before = README.read_text("utf-8")
    marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{marks[0]}.*{marks[1]}", re.DOTALL)
    README.write_text(pattern.sub(lambda _: f"{marks[0]}\n{text}\n{marks[1]}", before), "utf-8")


if __name__ == "__main__":
    main()
