"""The year's result as tables in Markdown."""

from collections import Counter, defaultdict
from statistics import median


def table(head, rows):
    """A table; its columns are numbers but the first, and the last if there are more than two."""
    text = {0, len(head) - 1 if len(head) > 2 else 0}
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' if n in text else '---:' for n in range(len(head)))} |"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"


def false(verdicts):
    """Episodes without a cause, by alert and climate, with what went on then."""
    counts, reasons = defaultdict(Counter), defaultdict(Counter)
    for climate, verdict in verdicts:
        for episode in verdict.false:
            counts[episode.name][climate] += 1
            reasons[episode.name][episode.reason] += 1
    climates = list(dict.fromkeys(climate for climate, _ in verdicts))
    rows = [
        (
            name,
            *(counts[name][climate] for climate in climates),
            ", ".join(f"{reason} ({n})" for reason, n in reasons[name].most_common(4)),
        )
        for name in sorted(counts, key=lambda name: -counts[name].total())
    ]
    if not rows:
        return ["Nothing fired without a cause."]
    return table(("Fired without a cause", *climates, "what went on"), rows)


def told(verdicts):
    """Faults by kind: how many were seeded, how many told in time, how long it took."""
    kinds = defaultdict(list)
    for _, verdict in verdicts:
        for each in verdict.told:
            kinds[each.fault.kind.name].append(each)
    rows = []
    for name, found in kinds.items():
        seen = [each for each in found if each.in_time]
        by = Counter(each.episode.name for each in seen)
        rows.append(
            (
                name,
                len(found),
                len(seen),
                f"{median(each.hours for each in seen):.1f} h" if seen else "-",
                f"{max(each.hours for each in seen):.1f} h" if seen else "-",
                ", ".join(alert for alert, _ in by.most_common(3)) or "-",
            )
        )
    head = ("Fault", "seeded", "told in time", "median", "longest", "told by")
    return table(head, rows)


def beside(verdicts):
    """Episodes on plants and accounts with faults that none of the faults explains."""
    counts = Counter(episode.name for _, verdict in verdicts for episode in verdict.beside)
    return table(("Beside a fault", "episodes"), counts.most_common())


BEGIN, END = (
    "<!-- Written by `make year FLAGS=--write`. -->",
    "<!-- The end of what is written. -->",
)


def written(document, lines):
    """A document with the lines in the place of those written before."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([before + BEGIN, "", *lines, "", END]) + after


def whole(verdicts):
    """The whole result."""
    every = [each for _, verdict in verdicts for each in verdict.told]
    seen = sum(each.in_time for each in every)
    yield from false(verdicts)
    yield f"\n{seen} of {len(every)} faults were told in time.\n"
    yield from told(verdicts)
    if any(verdict.beside for _, verdict in verdicts):
        yield ""
        yield from beside(verdicts)
