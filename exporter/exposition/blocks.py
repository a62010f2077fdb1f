"""Which plant or device stands in which block of the page, so that no series is there twice."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass

from exporter.catalogue.model import Kind, Metric
from exporter.exposition.families import (
    ALARMS_TOTAL,
    DEVICE_LAST_READING,
    PLANT_LAST_READING,
    UPGRADE_INFO,
)
from exporter.exposition.page import Block, Labels, Page, render
from exporter.exposition.translate import Sample
from exporter.northbound.interfaces import Interface, Subject

Identity = Callable[[Subject, str], Labels]
Samples = tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where samples come from: an interface, whose values age, or a metric that lasts."""

    name: str
    subject: Subject
    ages: bool = True


def source_of(interface: Interface) -> Source:
    """An interface as a source of samples."""
    return Source(interface.name, interface.subject)


# What is shown of these lasts as long as the plant or device does: it never ages.
NON_EXPIRING = {
    metric: Source(metric.name, subject, ages=False)
    for metric, subject in (
        (PLANT_LAST_READING, Subject.PLANTS),
        (DEVICE_LAST_READING, Subject.DEVICES),
        (UPGRADE_INFO, Subject.DEVICES),
        (ALARMS_TOTAL, Subject.PLANTS),
    )
}
LAST_READINGS = {Subject.PLANTS: PLANT_LAST_READING, Subject.DEVICES: DEVICE_LAST_READING}


@dataclass(eq=False, slots=True)
class _Members:
    """The subjects of one block, each with its samples."""

    source: Source
    read_at: float
    samples: dict[str, Samples]


class Blocks:
    """The blocks of one account.

    An answer makes one block of all it was asked about. A subject that stood in another block of
    the same source leaves it, so that batches may be cut and joined at will.
    """

    def __init__(self, account: str, page: Page, identity: Identity) -> None:
        self._account = account
        self._page = page
        self._identity = identity
        self._home: dict[tuple[Source, str], _Members] = {}

    def put(self, changed: Mapping[Source, Mapping[str, Samples]], *, read_at: float) -> None:
        """Replaces what each source has of these subjects, in one change of the page.

        `read_at` is when the answer came, on the page's clock.
        """
        touched: dict[_Members, None] = {}
        for source, samples in changed.items():
            block = _Members(source, read_at, dict(samples))
            touched[block] = None
            for subject in samples:
                old = self._home.get((source, subject))
                self._home[source, subject] = block
                if old is not None:
                    touched[old] = None
                    del old.samples[subject]
        self._show(touched)

    def get(self, source: Source, subject: str) -> Samples:
        """What a source has of a subject; nothing if it was never put."""
        block = self._home.get((source, subject))
        return block.samples[subject] if block else ()

    def shown(self, source: Source, subject: str, now: float) -> Samples:
        """What a source has of a subject, if it is not too old; any thread may ask."""
        while block := self._home.get((source, subject)):
            samples = block.samples.get(subject)
            if samples is not None:  # else it has just moved to another block
                fresh = self._page.is_fresh(self._ageing(source), block.read_at, now)
                return samples if fresh else ()
        return ()

    def refresh(
        self, subject: Subject, *, gone: Collection[str], moved: Collection[str] = ()
    ) -> None:
        """Follows plants or devices that are gone, or whose labels have changed."""
        touched: dict[_Members, None] = {}
        for (source, name), block in list(self._home.items()):
            if source.subject is not subject or (name not in gone and name not in moved):
                continue
            touched[block] = None
            if name in gone:
                del self._home[source, name]
                del block.samples[name]
        self._show(touched)

    def clear(self) -> None:
        """Takes all of them off the page."""
        self._page.update(dict.fromkeys(map(id, self._home.values())))
        self._home.clear()

    def _show(self, touched: Iterable[_Members]) -> None:
        changes: dict[Hashable, Block | None] = {}
        for block in touched:
            source = self._ageing(block.source)
            changes[id(block)] = Block(self._render(block), source, block.read_at)
        self._page.update(changes)

    def _ageing(self, source: Source) -> Hashable | None:
        """What the page knows the age of a source by; None for one that does not age."""
        return (self._account, source.name) if source.ages else None

    def _render(self, block: _Members) -> Mapping[Metric, bytes]:
        lines: dict[Metric, list[tuple[Labels, float]]] = {}
        for name, samples in block.samples.items():
            identity = self._identity(block.source.subject, name)
            for sample in samples:
                own = dict(zip(label_names(sample.metric), sample.labels, strict=True))
                lines.setdefault(sample.metric, []).append(({**identity, **own}, sample.value))
        return {metric: render(metric, samples) for metric, samples in lines.items()}


def label_names(metric: Metric) -> tuple[str, ...]:
    """The names of a metric's own labels; a StateSet's last one is called like itself."""
    return (*metric.labels, metric.name) if metric.kind is Kind.STATESET else metric.labels
