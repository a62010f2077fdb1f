"""In which unit a meter sends the powers of its phases, as its readings show. A record only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PhaseUnit:
    """What is known of one meter.

    `unit` is empty until it is decided. The last `agreed` readings in a row spoke for `seen`; the
    newest that counted had this `total`, in watts, and this sum of `phases`, as sent. It is
    `doubted` while readings contradict what was taken for true, and none is decided anew.
    """

    unit: str = ""
    seen: str = ""
    agreed: int = 0
    total: float = 0.0
    phases: float = 0.0
    doubted: bool = False
