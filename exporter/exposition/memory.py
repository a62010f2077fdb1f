"""What of an account's page survives a restart: which kinds of plain data, and what changed."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from exporter.exposition import plain
from exporter.exposition.blocks import Source
from exporter.exposition.things import LASTING
from exporter.northbound.interfaces import INTERFACES, Interface, Subject

Read = Callable[[str], Mapping[str, Any]]  # all plain data of a kind, by name

# The interfaces whose answers stand on the page.
REMEMBERED = tuple(row for row in INTERFACES.values() if row.content in plain.SHOWN)


def shown(interface: Interface) -> str:
    """The kind of what an interface's last answers told."""
    return f"shown/{interface.name}"


def lasting(source: Source) -> str:
    """The kind of what lasts."""
    return f"lasting/{source.name}"


ACCEPTED = "counters/accepted"  # the kind under which a command says what is to be believed
CALLS = "told"  # the kind of what the exporter's own metrics tell of each interface


def held(subject: Subject) -> str:
    """The kind of what is held of lifetime counters, in the source's units."""
    return f"counters/{subject.value}"


_KINDS = (
    *((shown(interface), interface.subject) for interface in REMEMBERED),
    *((lasting(source), source.subject) for source in LASTING.values()),
    *((held(subject), subject) for subject in (Subject.PLANTS, Subject.DEVICES)),
)


class Memory:
    """Collects plain data by kind and name, as they change."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, str], Any] = {}

    def note(self, kind: str, name: str, data: Any) -> None:
        """Says what is to be remembered of a plant or device."""
        self._changes[kind, name] = data

    def forget(self, subject: Subject, names: Collection[str]) -> None:
        """Drops all that is remembered of plants or devices that are gone."""
        for kind, of in _KINDS:
            if of is subject:
                self._changes.update(((kind, name), None) for name in names)

    def changes(self) -> dict[tuple[str, str], Any]:
        """What changed since the last call; None for what is gone."""
        changes, self._changes = self._changes, {}
        return changes

    def recall(self, kind: str, read: Read, known: Collection[str]) -> Iterator[tuple[str, Any]]:
        """The data of a kind, by name, of those that are known; the others are forgotten."""
        for name, data in read(kind).items():
            if name in known:
                yield name, data
            else:
                self.note(kind, name, None)
