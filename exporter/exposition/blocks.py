"""Which plant or device stands in which block of the page, so that no series is there twice."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from exporter.catalogue.model import Kind, Metric
from exporter.exposition.page import Block, Labels, Page, render
from exporter.exposition.things import DEVICE_LAST_READING, PLANT_LAST_READING
from exporter.exposition.translate import Sample
from exporter.northbound.interfaces import Interface, Subject

Identity = Callable[[Subject, str], Labels]


@dataclass(eq=False, slots=True)
class _Members:
    """The subjects of one block, each with its samples and when values of it last came."""

    interface: Interface
    read_at: float
    samples: dict[str, tuple[Sample, ...]]
    last_reading: dict[str, float] = field(default_factory=dict)


class Blocks:
    """The blocks of one account.

    An answer makes one block of all it was asked about. A subject that stood in another block of
    the same interface leaves it, so that batches may be cut and joined at will.
    """

    def __init__(self, account: str, page: Page, identity: Identity) -> None:
        self._account = account
        self._page = page
        self._identity = identity
        self._home: dict[tuple[str, str], _Members] = {}

    def put(
        self,
        interface: Interface,
        samples: Mapping[str, tuple[Sample, ...]],
        *,
        read_at: float,
        wall: float,
    ) -> None:
        """Replaces all that is known of these subjects; those without samples keep their past.

        `read_at` is when the answer came, on the page's clock; `wall` the same since the epoch.
        """
        block = _Members(interface, read_at, dict(samples))
        touched = [block]
        for subject in samples:
            old = self._home.get((interface.name, subject))
            if old is not None:
                touched.append(old)
                del old.samples[subject]
                if subject in old.last_reading:
                    block.last_reading[subject] = old.last_reading.pop(subject)
            if samples[subject]:
                block.last_reading[subject] = wall
            self._home[interface.name, subject] = block
        self._show(dict.fromkeys(touched))

    def refresh(
        self, subject: Subject, *, gone: Collection[str], moved: Collection[str] = ()
    ) -> None:
        """Follows plants or devices that are gone, or whose labels have changed."""
        touched: dict[_Members, None] = {}
        for (interface, name), block in list(self._home.items()):
            if block.interface.subject is not subject or (name not in gone and name not in moved):
                continue
            touched[block] = None
            if name in gone:
                del self._home[interface, name]
                del block.samples[name]
                block.last_reading.pop(name, None)
        self._show(touched)

    def _show(self, touched: Iterable[_Members]) -> None:
        changes: dict[Hashable, Block | None] = {}
        for block in touched:
            values, last_readings = self._render(block)
            source = (self._account, block.interface.name)
            changes[id(block), "values"] = Block(values, source, block.read_at)
            changes[id(block), "last readings"] = Block(last_readings)
        self._page.update(changes)

    def _render(self, block: _Members) -> tuple[Mapping[Metric, bytes], Mapping[Metric, bytes]]:
        kind = block.interface.subject
        last_metric = PLANT_LAST_READING if kind is Subject.PLANTS else DEVICE_LAST_READING
        values: dict[Metric, list[tuple[Labels, float]]] = {}
        last_readings: list[tuple[Labels, float]] = []
        for name, samples in block.samples.items():
            identity = self._identity(kind, name)
            if name in block.last_reading:
                last_readings.append((identity, block.last_reading[name]))
            for sample in samples:
                names = label_names(sample.metric)
                own = dict(zip(names, sample.labels, strict=True))
                values.setdefault(sample.metric, []).append(({**identity, **own}, sample.value))
        return (
            {metric: render(metric, lines) for metric, lines in values.items()},
            {last_metric: render(last_metric, last_readings)} if last_readings else {},
        )


def label_names(metric: Metric) -> tuple[str, ...]:
    """The names of a metric's own labels; a StateSet's last one is called like itself."""
    return (*metric.labels, metric.name) if metric.kind is Kind.STATESET else metric.labels
