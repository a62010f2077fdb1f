"""What a web configuration asks for, as a test wants it."""

from dataclasses import dataclass, field


@dataclass
class Rules:
    tls: object = None
    client_names: frozenset = frozenset()
    headers: dict = field(default_factory=dict)
    users: dict = field(default_factory=dict)
    interval: float = 0.0
    burst: int = 0
