"""Which plant or device is in which block of the page, so that no series is exposed twice."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from threading import Lock

from exporter.catalogue.model import Metric
from exporter.exposition.families import (
    ALARMS_TOTAL,
    DEVICE_LAST_READING,
    PLANT_LAST_READING,
    UPGRADE_INFO,
)
from exporter.exposition.page import Block, Page
from exporter.exposition.samples import Layout, Samples, Vector, vector_of
from exporter.northbound.interfaces import Interface, Subject

# Tells a plant or device from all others: the values of the labels that IDENTITIES names.
Identity = Callable[[Subject, str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where samples come from: an interface, whose values age, or a metric that lasts.

    A `part` is what the exporter adds to the values of an interface.
    """

    name: str
    subject: Subject
    ages: bool = True
    part: str = ""


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
# The labels that tell a plant or device from all others.
IDENTITIES = {
    Subject.PLANTS: ("account", "plant_code"),
    Subject.DEVICES: ("account", "plant_code", "device_id"),
}
LAST_READINGS = {Subject.PLANTS: PLANT_LAST_READING, Subject.DEVICES: DEVICE_LAST_READING}


MAX_SUBJECTS = 100  # subjects of a block: as many as a call is about


def _split(samples: Mapping[str, Samples]) -> Iterator[Mapping[str, Samples]]:
    """The same in parts for a block each."""
    left = iter(samples.items())
    while some := dict(islice(left, MAX_SUBJECTS)):
        yield some


@dataclass(eq=False, slots=True)
class _Members:
    """The subjects of one block, each with its values, if it has any; `lines` when rendered.

    Until then, `before` are those of an answer that had the same series, and the same states.
    """

    source: Source
    read_at: float
    values: dict[str, Vector | None]
    lines: Mapping[Metric, bytes] | None = None
    before: Mapping[Metric, bytes] | None = None

    def follow(self, other: "_Members") -> None:
        """Takes over what lines are the same as of an answer before."""
        if self.values.keys() != other.values.keys():
            return
        pairs = [(each, other.values[name]) for name, each in self.values.items()]
        if all(_layout(now) is _layout(then) for now, then in pairs):
            if all(_numbers(now) == _numbers(then) for now, then in pairs):
                self.lines = other.lines  # as at night, or of a server that has nothing new yet
            else:
                self.before = other.lines

    def remove(self, name: str) -> None:
        """Removes a subject."""
        del self.values[name]
        self.lines = self.before = None


def _layout(vector: Vector | None) -> Layout | None:
    return None if vector is None else vector.layout


def _numbers(vector: Vector | None) -> bytes:
    return b"" if vector is None else vector.numbers.tobytes()


class Blocks:
    """The blocks of one account.

    An answer makes one block of all it was asked about. A subject that stood in another block of
    the same source leaves it, so that batches may be cut and joined at will. Whom it leaves there
    is rendered anew, so blocks are as large as answers are.
    """

    def __init__(self, account: str, page: Page, identity: Identity) -> None:
        self._account = account
        self._page = page
        self._identity = identity
        self._lock = Lock()  # for those who look, in other threads
        self._home: defaultdict[Source, dict[str, _Members]] = defaultdict(dict)

    def put(self, changed: Mapping[Source, Mapping[str, Samples]], *, read_at: float) -> None:
        """Replaces what each source has of these subjects, in one change of the page.

        `read_at` is when the answer came, on the page's clock.
        """
        touched: dict[_Members, None] = {}
        for source, samples in changed.items():
            for some in _split(samples):
                values = {name: vector_of(each) if each else None for name, each in some.items()}
                touched |= self._replace(_Members(source, read_at, values))
        self._publish(touched)

    def _replace(self, block: _Members) -> dict[_Members, None]:
        """Gives a new block its members; returns it and those that they have left."""
        touched = {block: None}
        with self._lock:
            home = self._home[block.source]
            before = home.get(next(iter(block.values)))
            if before is not None:
                block.follow(before)
            for subject in block.values:
                old = home.get(subject)
                home[subject] = block
                if old is not None:
                    touched[old] = None
                    old.remove(subject)
        return touched

    def visible(self, source: Source, now: float) -> Mapping[str, Samples]:
        """What a source has of its subjects, where it is not too old; any thread may ask."""
        with self._lock:
            blocks = dict.fromkeys(self._home[source].values())
            return {
                subject: values
                for block in blocks
                if self._page.is_fresh(self._ageing(source), block.read_at, now)
                for subject, values in block.values.items()
                if values is not None
            }

    def refresh(
        self, subject: Subject, *, gone: Collection[str], moved: Collection[str] = ()
    ) -> None:
        """Follows plants or devices that are gone, or whose labels have changed."""
        touched: dict[_Members, None] = {}
        with self._lock:
            homes = [home for source, home in self._home.items() if source.subject is subject]
            for home in homes:
                for name in home.keys() & {*gone, *moved}:
                    block = home[name]
                    touched[block] = block.lines = None
                    if name in gone:
                        del home[name]
                        block.remove(name)
        self._publish(touched)

    def clear(self) -> None:
        """Takes all of them off the page."""
        with self._lock:
            blocks = chain.from_iterable(home.values() for home in self._home.values())
            gone: dict[Hashable, None] = dict.fromkeys(map(id, blocks))
            self._home.clear()
        self._page.update(gone, account=self._account)

    def _publish(self, touched: Iterable[_Members]) -> None:
        changes: dict[Hashable, Block | None] = {}
        for block in touched:
            source = self._ageing(block.source)
            if block.lines is None:
                block.lines = self._render(block)
            changes[id(block)] = Block(block.lines, source, block.read_at)
        self._page.update(changes, account=self._account)

    def _ageing(self, source: Source) -> Hashable | None:
        """What the page knows the age of a source by; None for one that does not age."""
        return (self._account, source.name) if source.ages else None

    def _render(self, block: _Members) -> Mapping[Metric, bytes]:
        lines: dict[Metric, list[str]] = {}
        subject = block.source.subject
        shown = ((name, each) for name, each in block.values.items() if each is not None)
        for layout, alike in groupby(shown, lambda each: each[1].layout):
            # Of states the lines are the same, as long as no state changes.
            pattern = layout.pattern(IDENTITIES[subject], states=block.before is None)
            filled = [
                pattern.fill_in(self._identity(subject, name), vector.numbers)
                for name, vector in alike
            ]
            for metric, texts in zip(pattern.metrics, zip(*filled, strict=True), strict=True):
                lines.setdefault(metric, []).extend(texts)
        rendered = {metric: "".join(texts).encode() for metric, texts in lines.items()}
        before, block.before = block.before or {}, None
        return {**before, **rendered}
