"""The assessments as tables in Markdown."""

from collections import Counter, defaultdict
from statistics import median


def table(head, rows):
    """A table; its columns are numbers but the first, and the last if there are more than two."""
    text_columns = {0, len(head) - 1 if len(head) > 2 else 0}
    rules = ("---" if column in text_columns else "---:" for column in range(len(head)))
    for row in (head, rules, *rows):
        yield f"| {' | '.join(map(str, row))} |"


def false_alert_table(assessments):
    """False alerts by alert and climate, with the most frequent circumstances."""
    counts, reasons = defaultdict(Counter), defaultdict(Counter)
    for climate, assessment in assessments:
        for episode in assessment.false_alerts:
            counts[episode.name][climate] += 1
            reasons[episode.name][episode.reason] += 1
    climates = list(dict.fromkeys(climate for climate, _ in assessments))
    rows = [
        (
            name,
            *(counts[name][climate] for climate in climates),
            ", ".join(f"{reason} ({n})" for reason, n in reasons[name].most_common(4)),
        )
        for name in sorted(counts, key=lambda name: -counts[name].total())
    ]
    if not rows:
        return ["No false alerts."]
    return table(("False alert", *climates, "circumstances"), rows)


def detection_table(assessments):
    """Faults by kind: how many were seeded and reported in time, by what, and the hours it took."""
    by_kind = defaultdict(list)
    for _, assessment in assessments:
        for detection in assessment.detections:
            by_kind[detection.fault.kind.name].append(detection)
    head = ("Fault", "seeded", "detected in time", "median", "longest", "detected by")
    return table(head, [detection_row(*each) for each in by_kind.items()])


def detection_row(name, detections):
    """The row of a kind of fault."""
    in_time = [each for each in detections if each.in_time]
    hours = [each.hours for each in in_time]
    alerts = Counter(each.episode.name for each in in_time)
    return (
        name,
        len(detections),
        len(in_time),
        f"{median(hours):.1f} h" if hours else "-",
        f"{max(hours):.1f} h" if hours else "-",
        ", ".join(alert for alert, _ in alerts.most_common(3)) or "-",
    )


def side_alert_table(assessments):
    """Alerts of faulty plants and accounts that none of their faults explains."""
    counts = Counter(
        episode.name for _, assessment in assessments for episode in assessment.side_alerts
    )
    return table(("Alert beside a fault", "times"), counts.most_common())


def render_tables(assessments):
    """The lines of the whole result, from pairs of climate and assessment."""
    detections = [each for _, assessment in assessments for each in assessment.detections]
    in_time = sum(each.in_time for each in detections)
    yield from false_alert_table(assessments)
    yield f"\n{in_time} of {len(detections)} faults were detected in time.\n"
    yield from detection_table(assessments)
    if any(assessment.side_alerts for _, assessment in assessments):
        yield ""
        yield from side_alert_table(assessments)


BEGIN, END = (
    "<!-- Written by `make year FLAGS=--write`. -->",
    "<!-- The end of what is written. -->",
)


def with_tables(document, lines):
    """A document with the lines between its marks, instead of those there before."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([before + BEGIN, "", *lines, "", END]) + after
