"""How samples are posted: with patience for a target that is busy, and a clear word otherwise."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar

from exporter.clock import Clock
from exporter.history.series import Target, TargetError, TimeSeries
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import HOUR
from exporter.northbound.transport import Transport

FIRST_WAIT, MAX_WAIT = 1.0, 60.0  # seconds between two tries
MAX_TRIES = 30  # half an hour
_MAX_MESSAGE = 300  # bytes of what a target says
_REDIRECTION, _SERVER_ERROR = 300, 500  # the least statuses of two kinds
_BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where samples are posted, and how. No password is printed; a token may stand in the URL.

    `timeout` is for a whole exchange, in seconds; `ca_file` as in `Transport`.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    timeout: float = 60.0
    ca_file: str | None = None
    verify: bool = True


def redacted(url: str) -> str:
    """A URL for logs and the archive: with a digest for its parameters, which may be tokens."""
    place, mark, parameters = url.partition("?")
    return f"{place}{mark}{sha256(parameters.encode()).hexdigest()[:8]}" if mark else place


class HttpTarget(Target):
    """Takes samples at an endpoint, request by request. Waits while it is busy, as long as it asks.

    Each kind of target says what it is called, what its requests look like, and what may help
    against a refusal.
    """

    kind: ClassVar[str]
    max_samples: ClassVar[int]  # of a request
    headers: ClassVar[Mapping[str, str]]

    def __init__(self, endpoint: Endpoint, clock: Clock) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._transport = Transport(
            endpoint.timeout, ca_file=endpoint.ca_file, verify=endpoint.verify
        )
        # Which requests encodes as Latin-1.
        self._auth = tuple(each.encode().decode("latin-1") for each in endpoint.auth or ())

    @property
    def name(self) -> str:
        return f"{self.kind} {redacted(self._endpoint.url)}"

    def write(self, series: Iterable[TimeSeries]) -> None:
        for part in portions(series, self.max_samples):
            self._send(self._body(part))

    @abstractmethod
    def _body(self, series: Iterable[TimeSeries]) -> bytes:
        """A request's body."""

    def _hint(self, words: str) -> str:  # noqa: ARG002  # there is none, whatever it says
        """What may help against a refusal in these words."""
        return ""

    def _send(self, body: bytes) -> None:
        wait, url = FIRST_WAIT, redacted(self._endpoint.url)
        headers = {**self._endpoint.headers, **self.headers}
        for _ in range(MAX_TRIES):
            asked = 0.0
            try:
                answer = self._transport.post(
                    self._endpoint.url, headers, data=body, auth=self._auth or None
                )
            except CallError as error:
                why = f"{error.reason} {error.detail}".rstrip()
                if error.reason == "redirect":
                    raise TargetError(f"{url}: {why}; the URL has to be the last one") from None
            else:
                if answer.status < _REDIRECTION:
                    return
                words = _printable(answer.body[:_MAX_MESSAGE].decode(errors="replace"))
                why = f"HTTP {answer.status} {words}"
                if answer.status < _SERVER_ERROR and answer.status not in _BUSY:
                    raise TargetError(f"{url}: {why}".rstrip() + self._hint(words))
                asked = min(answer.retry_after, HOUR)
            if self._clock.wait(max(wait, asked)):
                break
            wait = min(2 * wait, MAX_WAIT)
        raise TargetError(f"{url} takes no samples: {why}")


def portions(series: Iterable[TimeSeries], most: int) -> Iterator[list[TimeSeries]]:
    """The same series in parts of at most so many samples, in order."""
    part: list[TimeSeries] = []
    room = most
    for each in series:
        samples = each.samples
        while samples:
            part.append(TimeSeries(each.metric, each.labels, samples[:room]))
            taken, samples = len(samples[:room]), samples[room:]
            room -= taken
            if not room:
                yield part
                part, room = [], most
    if part:
        yield part


def _printable(text: str) -> str:
    """In one line, and without what a terminal would take for an order."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
